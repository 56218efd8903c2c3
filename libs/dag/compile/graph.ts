import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import { expandNeeds } from './needs.ts';
import type { TaskNode } from './task-node.ts';

/** Who runs before whom. */
export interface TaskGraph {
  /** Direct upstream tasks of each task. */
  readonly upstream: ReadonlyMap<string, ReadonlySet<string>>;
  /** Topological, in the order of the file where that leaves a choice; `finally` tasks last. Short of tasks in cycles. */
  readonly order: readonly TaskNode[];
  /** True if `id` always ends before `before` begins. */
  runsBefore(id: string, before: TaskNode): boolean;
}

/** Edges from `needs`, from paths and from `first`; reports what `needs` cannot find and every cycle. */
export function buildGraph(
  nodes: ReadonlyMap<string, TaskNode>,
  writers: ReadonlyMap<string, TaskNode>,
  compiling: Compiling,
): TaskGraph {
  const upstream = new Map<string, Set<string>>();
  for (const node of nodes.values()) {
    const needed = expandNeeds(node, nodes, compiling);
    for (const [index, read] of node.reads.entries()) {
      const writer = read.pipeline === null ? writers.get(read.path) : undefined;
      if (writer === undefined || writer.id === node.id) continue;
      if (node.first && !writer.first) {
        const message = `Task ${quote(node.id)} under first reads ${quote(read.path)}, which ${quote(writer.id)} writes after it.`;
        compiling.at([...node.path, 'reads', index], message, 'Move one of the two.');
      } else if (writer.final === node.final) needed.add(writer.id);
      else if (writer.final) {
        const message = `Task ${quote(node.id)} reads ${quote(read.path)}, which ${quote(writer.id)} under finally writes after it.`;
        compiling.at([...node.path, 'reads', index], message, 'Move one of the two.');
      }
    }
    upstream.set(node.id, needed);
  }
  const first = [...nodes.values()].filter((node) => node.first).map((node) => node.id);
  for (const node of nodes.values()) {
    const needed = upstream.get(node.id);
    if (!node.first && !node.final && needed?.size === 0) for (const id of first) needed.add(id);
  }
  const downstream = reversed(upstream);
  const order = topological(nodes, upstream, downstream);
  if (order.length < nodes.size)
    reportCycles(nodes, { upstream, downstream }, new Set(order.map((node) => node.id)), compiling);
  const ancestors = new Map<string, ReadonlySet<string>>();
  return {
    upstream,
    order,
    runsBefore(id, before) {
      if (before.final && nodes.get(id)?.final === false) return true;
      let known = ancestors.get(before.id);
      if (known === undefined) ancestors.set(before.id, (known = reachedFrom(before.id, upstream)));
      return known.has(id);
    },
  };
}

type Edges = ReadonlyMap<string, ReadonlySet<string>>;

function reversed(edges: Edges): Edges {
  const back = new Map<string, Set<string>>([...edges.keys()].map((id) => [id, new Set()]));
  for (const [id, others] of edges) for (const other of others) back.get(other)?.add(id);
  return back;
}

function topological(nodes: ReadonlyMap<string, TaskNode>, upstream: Edges, downstream: Edges): TaskNode[] {
  const waiting = new Map([...upstream].map(([id, needed]) => [id, needed.size]));
  const place = new Map([...nodes.keys()].map((id, index) => [id, index]));
  const order: TaskNode[] = [];
  let ready = [...nodes.values()].filter((node) => waiting.get(node.id) === 0);
  while (ready.length > 0) {
    const next: TaskNode[] = [];
    for (const node of ready) {
      order.push(node);
      for (const id of downstream.get(node.id) ?? []) {
        const left = (waiting.get(id) ?? 0) - 1;
        waiting.set(id, left);
        const follower = nodes.get(id);
        if (left === 0 && follower !== undefined) next.push(follower);
      }
    }
    ready = next.sort((a, b) => (place.get(a.id) ?? 0) - (place.get(b.id) ?? 0));
  }
  return [...order.filter((node) => !node.final), ...order.filter((node) => node.final)];
}

/** Everything that is reached from `id` by `edges`, one step or many; `id` itself only through a cycle. */
function reachedFrom(id: string, edges: Edges): Set<string> {
  const found = new Set<string>();
  const pending = [...(edges.get(id) ?? [])];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    pending.push(...(edges.get(next) ?? []));
  }
  return found;
}

/** One problem for each set of tasks that wait for each other, naming a shortest way round. */
function reportCycles(
  nodes: ReadonlyMap<string, TaskNode>,
  edges: { readonly upstream: Edges; readonly downstream: Edges },
  sorted: ReadonlySet<string>,
  compiling: Compiling,
): void {
  const reported = new Set<string>();
  for (const [id, node] of nodes) {
    if (sorted.has(id) || reported.has(id)) continue;
    const cycle = shortestCycle(id, edges.upstream);
    if (cycle === null) continue;
    // What both leads here and is reached from here belongs to the same knot.
    const behind = reachedFrom(id, edges.downstream);
    for (const other of reachedFrom(id, edges.upstream)) if (behind.has(other)) reported.add(other);
    const way = cycle.length > 12 ? [...cycle.slice(0, 6), '…', ...cycle.slice(-5)] : cycle;
    const place = node.shape?.needs === undefined ? node.path : [...node.path, 'needs'];
    compiling.atKey(
      place,
      `Tasks wait for each other: ${way.join(' -> ')}.`,
      'Remove one of these `needs`, or a read of a path that a later task writes.',
    );
  }
}

/** Breadth first over "runs before": `a -> b -> a` means that b needs a and a needs b. */
function shortestCycle(start: string, upstream: Edges): string[] | null {
  const next = new Map<string, string>();
  let frontier = [start];
  while (frontier.length > 0) {
    const reached: string[] = [];
    for (const id of frontier) {
      for (const before of upstream.get(id) ?? []) {
        if (before === start) {
          const cycle = [start];
          for (let at: string | undefined = id; at !== undefined && at !== start; at = next.get(at)) cycle.push(at);
          return [...cycle, start];
        }
        if (next.has(before)) continue;
        next.set(before, id);
        reached.push(before);
      }
    }
    frontier = reached;
  }
  return null;
}
