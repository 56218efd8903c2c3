import type { AirflowTask } from './airflow-dag.ts';
import type { Report } from './report.ts';

const MOST = 1_000_000;

/**
 * The priority of each task as Airflow sums it up: its weight and those of everything after it (`downstream`) or before
 * it (`upstream`). Empty where no task says anything, for then the sums only follow the graph.
 */
export function prioritiesOf(tasks: readonly AirflowTask[], report: Report): Map<string, number> {
  const weights = new Map(tasks.map((task) => [task.id, task.args.number('priority_weight') ?? 1]));
  const rules = new Map(tasks.map((task) => [task.id, ruleOf(task, report)]));
  const isPlain =
    [...weights.values()].every((weight) => weight === 1) && [...rules.values()].every((rule) => rule === 'downstream');
  if (isPlain) return new Map();
  const before = new Map(tasks.map((task) => [task.id, task.upstream.filter((id) => weights.has(id))]));
  const after = new Map<string, string[]>(tasks.map((task) => [task.id, []]));
  for (const [id, upstream] of before) for (const each of upstream) after.get(each)?.push(id);
  return new Map(
    tasks.map(({ id }) => {
      const rule = rules.get(id);
      const others = rule === 'absolute' ? [] : reachable(id, rule === 'upstream' ? before : after);
      const sum = [id, ...others].reduce((total, each) => total + (weights.get(each) ?? 0), 0);
      return [id, Math.min(Math.max(Math.trunc(sum), -MOST), MOST)];
    }),
  );
}

/** Every task that can be reached, not counting the one to begin with. */
export function reachable(from: string, edges: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const open = [...(edges.get(from) ?? [])];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id) || id === from) continue;
    found.add(id);
    open.push(...(edges.get(id) ?? []));
  }
  return found;
}

function ruleOf(task: AirflowTask, report: Report): string {
  const rule = task.args.take('weight_rule') ?? 'downstream';
  if (rule === 'downstream' || rule === 'upstream' || rule === 'absolute') return rule;
  report.lost(task.args.placeOf('weight_rule'), 'weight_rule is a class of its own.', 'Write `priority` of each task.');
  return 'absolute';
}
