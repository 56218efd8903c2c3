import { afterAll, describe, expect, test } from '@jest/globals';
import { GraphLayouts } from './graph-layout.ts';
import { layerGraph, NODE_SIZE, type GraphLayout, type GraphNode } from './layer-graph.ts';

const layouts = new GraphLayouts(60_000);
afterAll(() => layouts.close());

const chain: GraphNode[] = [
  { id: 'ingest', upstream: [] },
  { id: 'left', upstream: ['ingest'] },
  { id: 'right', upstream: ['ingest'] },
  { id: 'join', upstream: ['left', 'right'] },
];

function expectSound(layout: GraphLayout, tasks: readonly GraphNode[]): void {
  const at = new Map(layout.nodes.map((node) => [node.id, node]));
  expect([...at.keys()]).toEqual(tasks.map((task) => task.id));
  expect(layout.edges).toHaveLength(tasks.flatMap((task) => task.upstream).length);
  for (const { from, to, points } of layout.edges) {
    const [source, target] = [at.get(from), at.get(to)];
    // Left to right: an edge leaves on the right side and arrives on the left side.
    expect(points[0]?.x).toBe((source?.x ?? 0) + NODE_SIZE.width);
    expect(points.at(-1)?.x).toBe(target?.x);
    expect((source?.x ?? 0) + NODE_SIZE.width).toBeLessThan(target?.x ?? 0);
  }
  for (const node of layout.nodes) {
    expect(node.x + node.width).toBeLessThanOrEqual(layout.width);
    expect(node.y + node.height).toBeLessThanOrEqual(layout.height);
    const overlapping = layout.nodes.filter(
      (other) => other !== node && Math.abs(other.x - node.x) < node.width && Math.abs(other.y - node.y) < node.height,
    );
    expect(overlapping).toEqual([]);
  }
}

describe('graph layout', () => {
  test('stands every task right of what it needs, none upon another', async () => {
    expectSound(await layouts.layout('chain', chain), chain);
  });

  test('keeps the tasks of a group together in a frame, and all others out of it', async () => {
    const grouped = [
      ...chain.map((task) => (task.id === 'left' || task.id === 'right' ? { ...task, group: 'sides' } : task)),
      { id: 'middle', upstream: ['ingest'] },
    ];
    const layout = await layouts.layout('grouped', grouped);
    expectSound(layout, grouped);
    expect(layout.groups.map(({ id }) => id)).toEqual(['sides']);
    const frame = layout.groups[0]!;
    const isInside = ({ x, y, width, height }: GraphLayout['nodes'][number]): boolean =>
      x >= frame.x && y >= frame.y && x + width <= frame.x + frame.width && y + height <= frame.y + frame.height;
    expect(layout.nodes.filter(isInside).map(({ id }) => id)).toEqual(['left', 'right']);
  });

  test('is computed once per key', async () => {
    expect(await layouts.layout('chain', [])).toBe(await layouts.layout('chain', chain));
  });

  test('is plain layers for whoever cannot wait, and its own for the next one', async () => {
    const slow = new GraphLayouts(0);
    const first = await slow.layout('chain', chain);
    expectSound(first, chain);
    expect(first).toEqual(layerGraph(chain));
    await slow.close();
    const kept = await slow.layout('chain', chain);
    expect(kept).not.toEqual(first);
  });

  test('of nothing is nothing', async () => {
    expect(await layouts.layout('empty', [])).toEqual({ width: 0, height: 0, nodes: [], groups: [], edges: [] });
  });

  test('of a graph that is too large for ELK is plain layers, at once', async () => {
    const wide = Array.from({ length: 5000 }, (_, index) => ({
      id: `t${index}`,
      upstream: index < 100 ? [] : [`t${index - 100}`],
    }));
    const started = Date.now();
    const layout = await layouts.layout('wide', wide);
    expect(Date.now() - started).toBeLessThan(2000);
    expect([layout.nodes.length, layout.edges.length]).toEqual([5000, 4900]);
  });

  test('the plain layers are sound too', () => {
    expectSound(layerGraph(chain), chain);
  });
});
