import type { AirflowTask } from './airflow-dag.ts';
import type { Report } from './report.ts';

/** The tasks without the dependencies that close a circle, or that name no task; each of the former is reported. */
export function withoutCycles(tasks: readonly AirflowTask[], report: Report): AirflowTask[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const kept = new Map<string, string[]>();
  const open = new Set<string>();
  // Depth first by hand: a chain may be longer than the stack is deep.
  for (const root of byId.keys()) {
    const stack: { readonly id: string; readonly left: string[] }[] = [];
    const enter = (id: string): void => {
      kept.set(id, []);
      open.add(id);
      stack.push({ id, left: [...new Set(byId.get(id)?.upstream)].filter((each) => byId.has(each)) });
    };
    if (!kept.has(root)) enter(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.left.shift();
      if (next === undefined) {
        open.delete(top.id);
        stack.pop();
      } else if (open.has(next)) {
        const place = byId.get(top.id)?.place ?? { path: '', line: null, column: null };
        report.lost(
          place,
          `"${top.id}" and "${next}" need each other.`,
          `Decide which runs first; "${top.id}" no longer needs "${next}".`,
        );
      } else {
        kept.get(top.id)?.push(next);
        if (!kept.has(next)) enter(next);
      }
    }
  }
  return [...byId.values()].map((task) => ({ ...task, upstream: kept.get(task.id) ?? [] }));
}

/** Teardowns that only teardowns come after: they can stand under `finally:`. */
export function teardowns(tasks: readonly AirflowTask[]): Set<string> {
  const isTeardown = new Set(tasks.filter((task) => task.args.yes('is_teardown')).map((task) => task.id));
  const found = new Set(isTeardown);
  let before = -1;
  while (before !== found.size) {
    before = found.size;
    for (const { id, upstream } of tasks) if (!found.has(id)) for (const each of upstream) found.delete(each);
  }
  return found.size < tasks.length ? found : new Set();
}
