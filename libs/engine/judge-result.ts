import type { AttemptResult, CompiledTask, EngineStore, MetricPoint, Outcome } from '#core';
import { evaluate } from '#dag';
import { mapItem } from './task-values.ts';
import type { OwnedRun } from './owned-run.ts';
import { taskScope } from './scope.ts';
import { verifiedRun } from './verification/pin-as-before.ts';

/** What the engine makes of a result: checks and gate may turn a success into a failure. */
export interface Judged {
  readonly outcome: Outcome;
  readonly gateClosed: boolean;
  /** The attempt's metrics, with declared ones that were only given as outputs added. */
  readonly metrics: readonly MetricPoint[];
  /** Checks that failed with `on_fail: warn`; shown as the task run's reason. */
  readonly warning: string | null;
}

/** Reads the database only for a gate, which compares with the last successful run. */
export async function judgeResult(
  store: EngineStore,
  run: OwnedRun,
  taskIndex: number,
  mapIndex: number,
  result: AttemptResult,
): Promise<Judged> {
  const task = run.plan.pipeline.tasks[taskIndex];
  const metrics = task ? withDeclared(task, result) : result.metrics;
  const judged: Judged = { outcome: result.outcome, gateClosed: false, metrics, warning: null };
  if (!task || result.outcome.kind !== 'success' || (task.checks.length === 0 && task.gate === null)) return judged;

  const latest = Object.fromEntries(metrics.map((point) => [point.name, point.value]));
  const item = mapItem(run, taskIndex, mapIndex);
  const scope = { ...taskScope(run, taskIndex, item?.values ?? null), outputs: result.outputs, metrics: latest };
  const warnings: string[] = [];
  for (const check of task.checks) {
    const verdict = holds(check.expr, scope);
    if (verdict === null) continue;
    const message = `check "${check.name}" ${verdict}: \`${check.expr}\``;
    if (check.onFail === 'fail') return { ...judged, outcome: { kind: 'failed', exitCode: null, message } };
    warnings.push(message);
  }
  const warning = warnings.length > 0 ? warnings.join('; ') : null;
  if (task.gate === null) return { ...judged, warning };
  // Executed again, it is judged by what it was judged by then.
  const since = verifiedRun(run.record) ?? run.record.id;
  const baseline = await store.baseline(run.record.environment, run.record.pipeline, task.id, since);
  const verdict = holds(task.gate.expr, { ...scope, baseline });
  if (verdict === null) return { ...judged, warning };
  const message = `gate ${verdict}: \`${task.gate.expr}\` with metrics ${JSON.stringify(latest)}, baseline ${JSON.stringify(baseline)}`;
  if (task.gate.onFail === 'fail') return { ...judged, outcome: { kind: 'failed', exitCode: null, message }, warning };
  return { ...judged, gateClosed: true, warning: message };
}

/** Null when the expression is true, else how it failed. */
function holds(expr: string, scope: Parameters<typeof evaluate>[1]): string | null {
  const verdict = evaluate(expr, scope);
  if (!verdict.ok) return `cannot be evaluated (${verdict.message})`;
  return verdict.value === true ? null : 'does not hold';
}

/** A declared metric that was not emitted but is a number among the outputs counts as emitted: `sql:` has only outputs. */
function withDeclared(task: CompiledTask, result: AttemptResult): readonly MetricPoint[] {
  const emitted = new Set(result.metrics.map((point) => point.name));
  const added = task.metrics.flatMap((name) => {
    const value = result.outputs[name];
    return !emitted.has(name) && typeof value === 'number' && Number.isFinite(value)
      ? [{ name, value, step: null, ts: result.finishedAt }]
      : [];
  });
  return added.length === 0 ? result.metrics : [...result.metrics, ...added];
}
