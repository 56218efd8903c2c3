export interface Point {
  readonly x: number;
  readonly y: number;
}

const RADIUS = 8;

/** An SVG path through the points, with rounded corners. */
export function edgePath(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  const parts = [`M${first.x} ${first.y}`];
  rest.forEach((point, index) => {
    const before = points[index];
    const after = rest[index + 1];
    if (before === undefined || after === undefined) {
      parts.push(`L${point.x} ${point.y}`);
      return;
    }
    const from = toward(point, before);
    const to = toward(point, after);
    parts.push(`L${from.x} ${from.y}`, `Q${point.x} ${point.y} ${to.x} ${to.y}`);
  });
  return parts.join(' ');
}

/** The place RADIUS before the corner, or half way when the neighbour is nearer than that. */
function toward(corner: Point, neighbour: Point): Point {
  const length = Math.hypot(neighbour.x - corner.x, neighbour.y - corner.y);
  if (length === 0) return corner;
  const share = Math.min(RADIUS, length / 2) / length;
  return {
    x: round(corner.x + (neighbour.x - corner.x) * share),
    y: round(corner.y + (neighbour.y - corner.y) * share),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
