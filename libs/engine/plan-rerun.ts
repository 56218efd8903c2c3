import type { CompiledPipeline, LoadedTaskRun, Mark, NewRun } from '#core';
import { markedBy, markOf, SluiceError } from '#core';

export interface RerunInput {
  readonly mode: 'failed' | 'all' | 'from';
  /** For `from`. */
  readonly task?: string;
}

/**
 * Finished task runs of a run that its rerun takes over, those that somebody marked success among them; everything else is
 * executed again, and so is what was marked failed and what wrote outputs that are gone (`erased`: ids of tasks). Throws `bad_request` for a task
 * that is not there, `conflict` when nothing failed.
 */
export function taskRunsToTakeOver(
  runId: string,
  rows: readonly LoadedTaskRun[],
  pipeline: CompiledPipeline,
  input: RerunInput,
  { erased = new Set(), marks = [] }: { erased?: ReadonlySet<string>; marks?: readonly Mark[] } = {},
): NewRun['takeOver'] {
  const counted = rows.map((row) => {
    const mark = markOf(marks, row.taskId, row.mapIndex);
    return { ...row, state: mark?.state ?? row.state, mark };
  });
  const again = tasksToRepeat(runId, counted, pipeline, input, erased);
  return counted
    .filter((row) => again.get(row.taskId) !== 'whole' && isFinished(row.state))
    .map(({ taskId, mapIndex, mark }) => ({
      ...{ taskId, mapIndex },
      ...(mark === null ? {} : { marked: { state: mark.state, reason: markedBy(mark) } }),
    }));
}

/**
 * Marks that the new run has, too: those by which task runs are taken over. A task that is taken over as a whole has one
 * for the whole, so that a fan-out that never began is not begun there.
 */
export function marksToTakeOver(
  rows: readonly LoadedTaskRun[],
  takeOver: NewRun['takeOver'],
  marks: readonly Mark[],
): readonly Mark[] {
  const taken = takeOver.filter(({ marked }) => marked !== undefined);
  return [...new Set(taken.map(({ taskId }) => taskId))].flatMap((taskId) => {
    const marked = taken.filter((one) => one.taskId === taskId);
    const isWhole = marked.length === rows.filter((row) => row.taskId === taskId).length;
    return (isWhole ? marked.slice(0, 1) : marked).flatMap(({ mapIndex }) => {
      const mark = markOf(marks, taskId, mapIndex);
      return mark === null ? [] : [{ ...mark, mapIndex: isWhole ? null : mapIndex }];
    });
  });
}

/** `part`: only those of its task runs that did not succeed. */
function tasksToRepeat(
  runId: string,
  rows: readonly Pick<LoadedTaskRun, 'taskId' | 'state'>[],
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
