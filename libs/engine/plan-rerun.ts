import type { CompiledPipeline, LoadedTaskRun, NewRun } from '#core';
import { SluiceError } from '#core';

export interface RerunInput {
  readonly mode: 'failed' | 'all' | 'from';
  /** For `from`. */
  readonly task?: string;
}

/**
 * Finished task runs of a run that its rerun takes over; everything else is executed again, and so is what wrote outputs
 * that are gone (`erased`: ids of tasks). Throws `bad_request` for a task
 * that is not there, `conflict` when nothing failed.
 */
export function taskRunsToTakeOver(
  runId: string,
  rows: readonly LoadedTaskRun[],
  pipeline: CompiledPipeline,
  input: RerunInput,
  erased: ReadonlySet<string> = new Set(),
): NewRun['takeOver'] {
  const again = tasksToRepeat(runId, rows, pipeline, input, erased);
  return rows
    .filter((row) => again.get(row.taskId) !== 'whole' && isFinished(row.state))
    .map(({ taskId, mapIndex }) => ({ taskId, mapIndex }));
}

/** `part`: only those of its task runs that did not succeed. */
function tasksToRepeat(
  runId: string,
  rows: readonly LoadedTaskRun[],
  pipeline: CompiledPipeline,
  { mode, task: from = '' }: RerunInput,
  erased: ReadonlySet<string>,
): Map<string, 'whole' | 'part'> {
  const again = new Map<string, 'whole' | 'part'>();
  if (mode === 'all') for (const task of pipeline.tasks) again.set(task.id, 'whole');
  if (mode === 'from') {
    if (!pipeline.tasks.some((task) => task.id === from))
      throw new SluiceError('bad_request', `Pipeline "${pipeline.name}" has no task "${from}".`, {
        hint: `It has: ${pipeline.tasks.map((task) => task.id).join(', ')}.`,
      });
    again.set(from, 'whole');
  }
  if (mode === 'failed') {
    for (const task of pipeline.tasks) {
      const own = rows.filter((row) => row.taskId === task.id);
      if (own.length === 0 || own.some((row) => !isFinished(row.state))) again.set(task.id, 'part');
    }
    if (again.size === 0)
      throw new SluiceError('conflict', `Run ${runId} has nothing that failed.`, {
        hint: 'Use --all or --from TASK to run finished tasks again.',
      });
  }
  for (const taskId of erased) again.set(taskId, 'whole');
  // Tasks are in topological order: one pass reaches everything downstream. `finally` tasks always run again.
  for (const task of pipeline.tasks)
    if (task.final || task.upstream.some((parent) => again.has(parent))) again.set(task.id, 'whole');
  return again;
}

function isFinished(state: string): boolean {
  return state === 'success' || state === 'skipped';
}
