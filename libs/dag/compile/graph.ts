import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import { expandNeeds } from './needs.ts';
import type { Sections } from './sections.ts';
import type { TaskNode } from './task-node.ts';

/** Who runs before whom. */
export interface TaskGraph {
  /** Direct upstream tasks of each task. */
  readonly upstream: ReadonlyMap<string, ReadonlySet<string>>;
  /** Topological, in the order of the file where that leaves a choice; `finally` tasks last. Short of tasks in cycles. */
  readonly order: readonly TaskNode[];
  /** What each group needs, other groups among it replaced by their last tasks. */
  readonly groupNeeds: ReadonlyMap<string, ReadonlySet<string>>;
  /** True if `id` always ends before `before` begins. */
  runsBefore(id: string, before: TaskNode): boolean;
}

/** Edges from `needs`, from paths, groups and `first`; reports what `needs` cannot find and every cycle. */
export function buildGraph(
  nodes: ReadonlyMap<string, TaskNode>,
  writers: ReadonlyMap<string, TaskNode>,
  groups: Sections['groups'],
  compiling: Compiling,
): TaskGraph {
  const upstream = new Map<string, Set<string>>();
  const groupIds = new Set(Object.keys(groups.entries));
  const wanted = new Map<string, ReadonlySet<string>>();
  for (const node of nodes.values()) {
    const { tasks: needed, groups: neededGroups } = expandNeeds(node, nodes, groupIds, compiling);
    wanted.set(node.id, neededGroups);
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
  const groupNeeds = addGroups({ nodes, upstream, wanted }, groups, compiling);
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
    groupNeeds,
    runsBefore(id, before) {
      if (before.final && nodes.get(id)?.final === false) return true;
      let known = ancestors.get(before.id);
      if (known === undefined) ancestors.set(before.id, (known = reachedFrom(before.id, upstream)));
      return known.has(id);
    },
  };
}

/** Edges to and from groups: who needs one needs its last tasks, and what it needs its first ones need. */
function addGroups(
  links: {
    readonly nodes: ReadonlyMap<string, TaskNode>;
    readonly upstream: ReadonlyMap<string, Set<string>>;
    /** Groups that each task needs. */
    readonly wanted: ReadonlyMap<string, ReadonlySet<string>>;
  },
  groups: Sections['groups'],
  compiling: Compiling,
): Map<string, ReadonlySet<string>> {
  const { nodes, upstream, wanted } = links;
  const ids = new Set(Object.keys(groups.entries));
  const ends = new Map([...ids].map((id) => [id, endsOf(id, nodes, upstream)]));
  const lastOf = (needed: ReadonlySet<string>): string[] => [...needed].flatMap((id) => ends.get(id)?.last ?? []);
  const groupNeeds = new Map<string, ReadonlySet<string>>();
  for (const [id, shape] of Object.entries(groups.entries)) {
    const needing = { id, first: false, final: false, group: id, path: ['groups', id], shape };
    const { tasks, groups: others } = expandNeeds(needing, nodes, ids, compiling);
    groupNeeds.set(id, new Set([...tasks, ...lastOf(others)]));
  }
  for (const [id, needed] of groupNeeds)
    for (const root of ends.get(id)?.first ?? []) for (const before of needed) upstream.get(root)?.add(before);
  for (const [id, needed] of wanted) for (const before of lastOf(needed)) upstream.get(id)?.add(before);
  return groupNeeds;
}

/** Tasks of a group that come after none, and before none, of it. */
function endsOf(
  group: string,
  nodes: ReadonlyMap<string, TaskNode>,
  upstream: ReadonlyMap<string, ReadonlySet<string>>,
): { readonly first: string[]; readonly last: string[] } {
  const members = [...nodes.values()].filter((node) => node.group === group).map(({ id }) => id);
  const needed = new Set(members.flatMap((id) => [...(upstream.get(id) ?? [])]));
  const isIn = new Set(members);
  return {
    first: members.filter((id) => ![...(upstream.get(id) ?? [])].some((before) => isIn.has(before))),
    last: members.filter((id) => !needed.has(id)),
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
