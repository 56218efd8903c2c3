import type { z } from 'zod';
import type { graphLayout } from '#contracts';

export type GraphLayout = z.infer<typeof graphLayout>;
/** `upstream` holds ids of nodes that come earlier in the list. */
export interface GraphNode {
  readonly id: string;
  readonly upstream: readonly string[];
  /** Tasks of one group stand together in a frame. Absent: in none. */
  readonly group?: string;
}

export const NODE_SIZE = { width: 200, height: 56 } as const;
const GAP = { x: 64, y: 28 } as const;
const MARGIN = 16;

/** The plain layout: a task stands one column right of its furthest upstream task, in file order; edges are straight. Linear time. */
export function layerGraph(tasks: readonly GraphNode[]): GraphLayout {
  const layerOf = new Map<string, number>();
  const filled: number[] = [];
  const nodes = tasks.map(({ id, upstream }) => {
    // Tasks come in topological order, so upstream layers are known.
    const layer = upstream.reduce((most, from) => Math.max(most, (layerOf.get(from) ?? -1) + 1), 0);
    layerOf.set(id, layer);
    const row = filled[layer] ?? 0;
    filled[layer] = row + 1;
    return {
      id,
      x: MARGIN + layer * (NODE_SIZE.width + GAP.x),
      y: MARGIN + row * (NODE_SIZE.height + GAP.y),
      ...NODE_SIZE,
    };
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const edges = tasks.flatMap(({ id, upstream }) =>
    upstream.flatMap((from) => {
      const [source, target] = [byId.get(from), byId.get(id)];
      if (!source || !target) return [];
      const start = { x: source.x + source.width, y: source.y + source.height / 2 };
      return [{ from, to: id, points: [start, { x: target.x, y: target.y + target.height / 2 }] }];
    }),
  );
  return {
    width: nodes.reduce((most, node) => Math.max(most, node.x + node.width + MARGIN), 0),
    height: nodes.reduce((most, node) => Math.max(most, node.y + node.height + MARGIN), 0),
    nodes,
    groups: [],
    edges,
  };
}
