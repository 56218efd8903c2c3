import type { AttemptResult, CheckResult, CompiledTask, EngineStore, MetricPoint, Outcome } from '#core';
import { rowsBesideHistory, unreachable } from '#core';
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
  /** Checks that warned or put rows aside; shown as the task run's reason. */
  readonly warning: string | null;
  /** The gate lets the result pass only if somebody says so: what is asked. */
  readonly asks: string | null;
  readonly checks: readonly CheckResult[];
}

/** Reads the database only for a gate and for numbers of rows, which are compared with earlier successful runs. */
export async function judgeResult(
  store: EngineStore,
  run: OwnedRun,
  taskIndex: number,
  mapIndex: number,
  result: AttemptResult,
): Promise<Judged> {
  const task = run.plan.pipeline.tasks[taskIndex];
  const metrics = task ? withDeclared(task, result) : result.metrics;
  const looked = result.checks ?? [];
  const judged: Judged = {
    outcome: result.outcome,
    gateClosed: false,
    metrics,
    warning: null,
    asks: null,
    checks: looked,
  };
  if (!task || result.outcome.kind !== 'success') return judged;
  if (task.checks.length === 0 && looked.length === 0 && task.gate === null) return judged;

  const latest = Object.fromEntries(metrics.map((point) => [point.name, point.value]));
  const item = mapItem(run, taskIndex, mapIndex);
  const scope = { ...taskScope(run, item?.values ?? null), outputs: result.outputs, metrics: latest };
  const checks = [
    ...task.checks.map((check) => judgeExpression(check, scope)),
    ...(await besideHistory(store, run, task, item?.key ?? '', looked)),
  ];
  const failed = checks.find(({ state }) => state === 'failed');
  if (failed !== undefined) {
    const message = `check "${failed.name}" ${failed.detail}`;
    return { ...judged, checks, outcome: { kind: 'failed', exitCode: null, message } };
  }
  const warnings = checks.filter(({ state }) => state !== 'passed').map(warningOf);
  const warning = warnings.length > 0 ? warnings.join('; ') : null;
  if (task.gate === null) return { ...judged, checks, warning };
  // Executed again, it is judged by what it was judged by then.
  const since = verifiedRun(run.record) ?? run.record.id;
  const baseline = await store.baseline(run.record.environment, run.record.pipeline, task.id, since);
  const verdict = holds(task.gate.expr, { ...scope, baseline });
  if (verdict === null) return { ...judged, checks, warning };
  const message = `gate ${verdict}: \`${task.gate.expr}\` with metrics ${JSON.stringify(latest)}, baseline ${JSON.stringify(baseline)}`;
  switch (task.gate.onFail) {
    case 'fail':
      return { ...judged, checks, outcome: { kind: 'failed', exitCode: null, message }, warning };
    case 'skip_downstream':
      return { ...judged, checks, gateClosed: true, warning: message };
    case 'needs_approval':
      return { ...judged, checks, warning, ...asking(run, message) };
    default:
      return unreachable(task.gate.onFail);
  }
}

/** Runs that publish nothing ask nobody: one that is executed again was approved then, one that is tried before a promotion is judged by its gate. */
function asking({ record }: OwnedRun, message: string): Partial<Judged> {
  if (!record.shadow) return { asks: `${message}; may it pass all the same?` };
  if (record.trigger === 'verification') return { warning: message };
  return { outcome: { kind: 'failed', exitCode: null, message } };
}

/** One sentence about a check that does not hold and fails nothing. */
export function warningOf({ name, state, detail }: CheckResult): string {
  return `check "${name}" ${state === 'quarantined' ? 'put rows aside: ' : ''}${detail}`;
}

function judgeExpression(
  { name, expr, onFail }: CompiledTask['checks'][number],
  scope: Parameters<typeof evaluate>[1],
): CheckResult {
  const verdict = holds(expr, scope);
  const nothing = { name, path: null, rows: null, bad: null, sample: [] };
  if (verdict === null) return { ...nothing, state: 'passed', detail: 'holds' };
  return { ...nothing, state: onFail === 'warn' ? 'warned' : 'failed', detail: `${verdict}: \`${expr}\`` };
}

/** Numbers of rows that passed for themselves are compared with those of the last successful runs, where there are any. */
async function besideHistory(
  store: EngineStore,
  { record }: OwnedRun,
  task: CompiledTask,
  mapKey: string,
  results: readonly CheckResult[],
): Promise<readonly CheckResult[]> {
  const judged: CheckResult[] = [];
  for (const result of results) {
    const check = task.tableChecks?.find(({ name }) => name === result.name);
    const test = check?.test.kind === 'rows' && result.state === 'passed' ? check.test : null;
    if (!check || !test || test.last === null || test.within === null || result.rows === null) judged.push(result);
    else {
      const about = { ...record, taskId: task.id, mapKey, check: check.name };
      const problem = rowsBesideHistory(result.rows, await store.earlierRows(about, test.last), test.within);
      const state = check.onFail === 'warn' ? 'warned' : 'failed';
      judged.push(problem === null ? result : { ...result, state, detail: problem });
    }
  }
  return judged;
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
