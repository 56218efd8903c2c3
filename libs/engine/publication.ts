import type { AttemptResult, TaskRunChange } from '#core';
import type { BatchRows } from './build-batch.ts';
import type { OwnedRun } from './owned-run.ts';
import { rememberOutputs } from './owned-run.ts';
import { mapItem } from './task-values.ts';

/** What a result publishes, and what other tasks see of it. */
export function addPublication(
  rows: BatchRows,
  run: OwnedRun,
  taskIndex: number,
  mapIndex: number,
  { attemptId, fence, outputs, versions }: Pick<AttemptResult, 'attemptId' | 'fence' | 'outputs' | 'versions'>,
): void {
  const { intervalEnd, shadow } = run.record;
  const common = commonOf(run, taskIndex, mapIndex);
  rememberOutputs(run, taskIndex, mapIndex, outputs);
  for (const version of versions) rows.versions.push({ ...common, ...version, intervalEnd, shadow, attemptId, fence });
}

/** What rows of a task run have in common. */
export function commonOf(run: OwnedRun, taskIndex: number, mapIndex: number) {
  const { record, plan } = run;
  return {
    environment: record.environment,
    pipeline: record.pipeline,
    runId: record.id,
    taskId: plan.pipeline.tasks[taskIndex]?.id ?? '',
    mapIndex,
    mapKey: mapItem(run, taskIndex, mapIndex)?.key ?? '',
    release: record.release,
    intervalStart: record.intervalStart,
  };
}

/** What its gate held back, and somebody let pass. */
export function addApproved(rows: BatchRows, run: OwnedRun, { from, to, taskIndex, mapIndex }: TaskRunChange): void {
  const result = from === 'waiting' && to === 'success' ? run.approved.get(`${taskIndex}/${mapIndex}`) : undefined;
  if (result === undefined) return;
  addPublication(rows, run, taskIndex, mapIndex, result);
  const taskId = run.plan.pipeline.tasks[taskIndex]?.id ?? '';
  rows.counted.push({ runId: run.record.id, taskId, mapIndex, number: result.number });
}
