import type { Look } from '../parts/state-look.ts';

export interface Ink {
  readonly solid: string;
  readonly strong: string;
  readonly tint: string;
}

/** States whose cell is filled; the others are hollow, so that they differ without colour too. */
const FILLED = new Set(['check', 'cross', 'turn', 'gap', 'clock']);

/** One cell: a rounded square (filled or hollow) with the mark of its state. `x`, `y` is its top left corner. */
export function drawMark(
  ctx: CanvasRenderingContext2D,
  look: Look,
  ink: Ink,
  paper: string,
  x: number,
  y: number,
  size: number,
): void {
  if (look.mark === 'none') {
    ctx.fillStyle = ink.solid;
    ctx.beginPath();
    ctx.arc(x + size / 2, y + size / 2, 1.5, 0, Math.PI * 2);
    ctx.fill();
    return;
  }
  const line = Math.max(1.25, size / 11);
  if (look.mark !== 'dash') {
    ctx.beginPath();
    if (FILLED.has(look.mark)) {
      ctx.roundRect(x, y, size, size, size / 4.5);
      ctx.fillStyle = ink.solid;
      ctx.fill();
    } else {
      ctx.roundRect(x + line / 2, y + line / 2, size - line, size - line, size / 4.5);
      ctx.fillStyle = ink.tint;
      ctx.fill();
      ctx.strokeStyle = ink.solid;
      ctx.lineWidth = line;
      ctx.stroke();
    }
  }
  ctx.strokeStyle = ctx.fillStyle = FILLED.has(look.mark) ? paper : ink.strong;
  ctx.lineWidth = line * 1.15;
  ctx.lineCap = 'round';
  ctx.lineJoin = 'round';
  glyph(ctx, look.mark, x + size / 2, y + size / 2, size * 0.22);
}

/** What a person said that it counts as: a disc on the corner at `x`, `y`, with a tick or a cross, so that it is told by its shape. */
export function drawSaid(
  ctx: CanvasRenderingContext2D,
  as: 'success' | 'failed',
  ink: Ink,
  paper: string,
  x: number,
  y: number,
  size: number,
): void {
  const radius = Math.max(3.5, size * 0.28);
  const [middle, height] = [x - radius * 0.4, y + radius * 0.4];
  ctx.beginPath();
  ctx.arc(middle, height, radius, 0, Math.PI * 2);
  ctx.fillStyle = paper;
  ctx.fill();
  ctx.strokeStyle = ink.strong;
  ctx.lineWidth = 1.25;
  ctx.stroke();
  ctx.lineCap = 'round';
  ctx.lineJoin = 'round';
  glyph(ctx, as === 'failed' ? 'cross' : 'again', middle, height, radius * 0.45);
}

/** Strokes around a centre, `r` being half the glyph's size. A success has no glyph at all: the calm case stays calm. */
function glyph(ctx: CanvasRenderingContext2D, mark: Look['mark'], x: number, y: number, r: number): void {
  ctx.beginPath();
  switch (mark) {
    case 'cross':
      ctx.moveTo(x - r, y - r);
      ctx.lineTo(x + r, y + r);
      ctx.moveTo(x + r, y - r);
      ctx.lineTo(x - r, y + r);
      break;
    case 'play':
      ctx.moveTo(x - r * 0.7, y - r);
      ctx.lineTo(x + r, y);
      ctx.lineTo(x - r * 0.7, y + r);
      ctx.closePath();
      ctx.fill();
      return;
    case 'turn':
      ctx.arc(x, y, r, -0.3 * Math.PI, 1.2 * Math.PI);
      break;
    case 'again':
      ctx.moveTo(x - r, y);
      ctx.lineTo(x - r * 0.2, y + r * 0.8);
      ctx.lineTo(x + r, y - r * 0.8);
      break;
    case 'clock':
      ctx.moveTo(x, y - r);
      ctx.lineTo(x, y);
      ctx.lineTo(x + r * 0.8, y + r * 0.5);
      break;
    case 'dots':
      for (const dx of [-r, 0, r]) ctx.rect(x + dx - 0.6, y - 0.6, 1.2, 1.2);
      ctx.fill();
      return;
    case 'ring':
      ctx.arc(x, y, r * 0.8, 0, Math.PI * 2);
      break;
    case 'bars':
      ctx.moveTo(x - r * 0.6, y - r);
      ctx.lineTo(x - r * 0.6, y + r);
      ctx.moveTo(x + r * 0.6, y - r);
      ctx.lineTo(x + r * 0.6, y + r);
      break;
    case 'up':
      ctx.moveTo(x, y + r);
      ctx.lineTo(x, y - r);
      ctx.moveTo(x - r * 0.8, y - r * 0.2);
      ctx.lineTo(x, y - r);
      ctx.lineTo(x + r * 0.8, y - r * 0.2);
      break;
    case 'slash':
      ctx.moveTo(x - r, y + r);
      ctx.lineTo(x + r, y - r);
      break;
    case 'dash':
      ctx.moveTo(x - r * 1.3, y);
      ctx.lineTo(x + r * 1.3, y);
      break;
    case 'gap':
      ctx.moveTo(x - r, y);
      ctx.lineTo(x - r * 0.3, y);
      ctx.moveTo(x + r * 0.3, y);
      ctx.lineTo(x + r, y);
      break;
    default:
      return;
  }
  ctx.stroke();
}
