import type { CompiledPipeline, CompiledTask, LoadedTaskRun, Mark, NewRun } from '#core';
import { itemOf, markedBy, markOf, SluiceError } from '#core';

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
  const tasks = new Map(pipeline.tasks.map((task) => [task.id, task]));
  return counted
    .filter((row) => !isRepeated(again.get(row.taskId), tasks.get(row.taskId), row.mapIndex) && isFinished(row.state))
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

/** All task runs of a task, or besides those that did not succeed only those of these items of its group. */
type Repeated = 'whole' | { readonly failed: ReadonlySet<number>; readonly items: ReadonlySet<number> };

function isRepeated(repeated: Repeated | undefined, task: CompiledTask | undefined, mapIndex: number): boolean {
  if (repeated === 'whole' || repeated === undefined) return repeated === 'whole';
  return repeated.failed.has(mapIndex) || repeated.items.has(itemOf(task ?? {}, mapIndex));
}

function tasksToRepeat(
  runId: string,
  rows: readonly Pick<LoadedTaskRun, 'taskId' | 'mapIndex' | 'state'>[],
  pipeline: CompiledPipeline,
  { mode, task: from = '' }: RerunInput,
  erased: ReadonlySet<string>,
): ReadonlyMap<string, Repeated> {
  const again = new Map<string, Repeated>();
  const tasks = new Map(pipeline.tasks.map((task) => [task.id, task]));
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
      const open = own.filter((row) => !isFinished(row.state)).map(({ mapIndex }) => mapIndex);
      if (own.length === 0 || open.length > 0) again.set(task.id, { failed: new Set(open), items: new Set() });
    }
    if (again.size === 0)
      throw new SluiceError('conflict', `Run ${runId} has nothing that failed.`, {
        hint: 'Use --all or --from TASK to run finished tasks again.',
      });
  }
  for (const taskId of erased) again.set(taskId, 'whole');
  // Tasks are in topological order: one pass reaches everything downstream. `finally` tasks always run again.
  for (const task of pipeline.tasks) {
    const before = task.upstream.filter((parent) => again.has(parent));
    const parts = before.map((parent) =>
      isChained(pipeline, task, parent) ? itemsOf(again.get(parent), tasks.get(parent)) : 'whole',
    );
    if (task.final || parts.includes('whole')) again.set(task.id, 'whole');
    else if (parts.length > 0) again.set(task.id, withItems(again.get(task.id), parts));
  }
  return again;
}

/** True: each item comes after the same one of the other task, and after that one only. */
function isChained({ tasks, groups }: CompiledPipeline, { group }: CompiledTask, parent: string): boolean {
  if (group === undefined || !groups?.[group]?.matrix) return false;
  return tasks.some((task) => task.id === parent && task.group === group);
}

/** Items of its group in which something of a task is repeated. */
function itemsOf(repeated: Repeated | undefined, task: CompiledTask | undefined): 'whole' | ReadonlySet<number> {
  if (repeated === 'whole' || repeated === undefined) return repeated ?? new Set();
  return new Set([...repeated.items, ...[...repeated.failed].map((mapIndex) => itemOf(task ?? {}, mapIndex))]);
}

/** What follows an item is repeated for all of that item. */
function withItems(own: Repeated | undefined, parts: readonly ('whole' | ReadonlySet<number>)[]): Repeated {
  if (own === 'whole') return 'whole';
  const items = new Set(parts.flatMap((part) => (part === 'whole' ? [] : [...part])));
  return { failed: own?.failed ?? new Set(), items };
}

function isFinished(state: string): boolean {
  return state === 'success' || state === 'skipped';
}
