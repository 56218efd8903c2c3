import type { CompiledPipeline, CompiledTask, Gate, GateRecord, LoadedTaskRun, PromotionCase, RunRecord } from '#core';
import { itemOf, splitKey } from '#core';
import { evaluate, withOverlay, type Scope } from '#dag';
import type { AppliedEnvironment } from '../ports.ts';
import { runScope, worstState } from '../scope.ts';
import type { PromotionParts } from './promotion-parts.ts';
import { matchingPipelines } from './promotion-runs.ts';

interface CheckedTask {
  readonly task: string;
  /** Of the map item; empty when the task is not fanned out. */
  readonly key: string;
  readonly check: string;
  readonly expr: string;
  /** Null: the task was not executed. */
  readonly holds: boolean | null;
  readonly detail: string | null;
  /** Numbers that the task said. */
  readonly values: Readonly<Record<string, number>>;
}

/**
 * The data checks of the candidate's tasks, in its newest run of each pipeline in `source`. One with `on_fail: warn` must
 * hold too: it let the run go on, and does not let the release. Without a run, or without any check, there is no answer.
 */
export async function lookAtChecks(
  parts: PromotionParts,
  { promotion }: PromotionCase,
  gate: Extract<Gate, { kind: 'checks' }>,
  source: AppliedEnvironment,
): Promise<Pick<GateRecord, 'state' | 'detail' | 'evidence'>> {
  const { name } = source.config;
  const all = (await parts.pipelines.all(promotion.release)).map((pipeline) => withOverlay(pipeline, name));
  const pipelines = matchingPipelines(all, gate.pipelines).filter(({ tasks }) =>
    tasks.some(({ checks }) => checks.length > 0),
  );
  const found: (CheckedTask & { readonly pipeline: string; readonly run: string })[] = [];
  const silent: string[] = [];
  for (const pipeline of pipelines) {
    const run = await parts.promotions.newestRun(name, pipeline.name, promotion.release);
    const checked = run === null ? [] : await checkedTasks(parts, run, pipeline, source);
    if (run === null || checked.every(({ holds }) => holds === null)) silent.push(pipeline.name);
    else found.push(...checked.map((one) => ({ pipeline: pipeline.name, run: run.id, ...one })));
  }
  const evidence = { environment: name, checks: found, silent };
  const broken = found.find(({ holds }) => holds === false);
  if (broken !== undefined)
    return { state: 'failed', detail: `${broken.pipeline}/${broken.task}: ${broken.detail ?? ''}`, evidence };
  if (pipelines.length === 0 || silent.length > 0) {
    const what = silent.length === 0 ? 'The release has no checks there.' : `No checks of ${silent.join(', ')} yet.`;
    return { state: 'inconclusive', detail: `${what} A person has to decide.`, evidence };
  }
  const held = found.filter(({ holds }) => holds === true).length;
  return { state: 'passed', detail: `${held} ${held === 1 ? 'check holds' : 'checks hold'} in ${name}.`, evidence };
}

async function checkedTasks(
  { store, promotions }: PromotionParts,
  run: RunRecord,
  pipeline: CompiledPipeline,
  source: AppliedEnvironment,
): Promise<CheckedTask[]> {
  const [rows, points] = await Promise.all([store.loadTaskRuns([run.id]), promotions.metricsOfTasks(run.id)]);
  const scope = runScope(run, pipeline, source);
  const tasks = Object.fromEntries(pipeline.tasks.map((task) => [task.id, saidBy(task, rows)]));
  return pipeline.tasks.flatMap((task) =>
    rows
      .filter(({ taskId }) => taskId === task.id)
      .flatMap((row) => {
        const own = points.filter(({ taskId, mapIndex }) => taskId === row.taskId && mapIndex === row.mapIndex);
        const metrics = Object.fromEntries(own.map((point) => [point.name, point.value]));
        const outputs = row.outputs ?? {};
        const values = { ...numbersOf(outputs), ...metrics };
        const seen: Scope = {
          ...scope,
          tasks,
          outputs,
          metrics,
          ...(row.matrix === null ? {} : { matrix: row.matrix }),
        };
        return task.checks.map((check) => ({
          ...{ task: task.id, key: row.mapKey, check: check.name, expr: check.expr, values },
          ...verdictOf(row, check, seen),
        }));
      }),
  );
}

function verdictOf(row: LoadedTaskRun, check: { name: string; expr: string }, scope: Scope) {
  if (row.state === 'skipped') return { holds: null, detail: null };
  if (row.state !== 'success') return { holds: false, detail: `It ended ${row.state}.` };
  const verdict = evaluate(check.expr, scope);
  if (verdict.ok && verdict.value === true) return { holds: true, detail: null };
  const why = verdict.ok ? 'does not hold' : `cannot be evaluated (${verdict.message})`;
  return { holds: false, detail: `check "${check.name}" ${why}: \`${check.expr}\`` };
}

function saidBy(task: CompiledTask, rows: readonly LoadedTaskRun[]) {
  const own = rows.filter((row) => row.taskId === task.id).sort((a, b) => a.mapIndex - b.mapIndex);
  const state = worstState(own.map((row) => row.state));
  if (task.inner !== undefined) return { state, outputs: listsOf(task, own) };
  const outputs = own.map((row) => row.outputs ?? {});
  return { state, outputs: task.matrix === null ? (outputs[0] ?? {}) : outputs };
}

/** Of each item of its group a list, which is empty where it had none. */
function listsOf(task: CompiledTask, rows: readonly LoadedTaskRun[]) {
  const lists: Readonly<Record<string, unknown>>[][] = [];
  for (const { mapIndex, mapKey, outputs } of rows.filter((row) => row.mapKey !== '')) {
    const list = (lists[itemOf(task, mapIndex)] ??= []);
    if (splitKey(mapKey) !== null) list.push(outputs ?? {});
  }
  return lists;
}

function numbersOf(outputs: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(outputs).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}
