import { TASK_STATES, type TaskState } from '#core';
import type { Grid } from '#contracts';
import { apiQueries } from '#store';
import { currentPipeline } from './environment-reads.ts';
import type { ReadContext } from './read-context.ts';

/** The state of a fan-out is the first of these that one of its task runs has: what people would want to know first. */
export const SEVERITY: readonly TaskState[] = [
  'failed',
  'upstream_failed',
  'cancelled',
  'lost',
  'retrying',
  'running',
  'queued',
  'ready',
  'waiting',
  'success',
  'skipped',
  'none',
];
const CODES = SEVERITY.map((state) => TASK_STATES.indexOf(state));

export async function readGrid(
  context: ReadContext,
  environment: string,
  name: string,
  options: { runs: number; before: string | null },
): Promise<Grid> {
  const { entry } = await currentPipeline(context, environment, name);
  const rows = await apiQueries.readGridRuns(context.db, environment, name, options.before, options.runs + 1);
  const runs = rows.slice(0, options.runs).reverse();
  const cells = await apiQueries.readGridCells(
    context.db,
    runs.map((run) => run.id),
    SEVERITY,
  );

  const tasks = (entry.pipeline?.tasks ?? []).map(({ id, matrix, final }) => ({ id, mapped: matrix !== null, final }));
  const columnOf = new Map(tasks.map((task, index) => [task.id, index]));
  // Runs of other releases may have tasks that are gone; their columns come last.
  for (const id of cells.flatMap((row) => row.taskIds)) {
    if (columnOf.has(id)) continue;
    columnOf.set(id, tasks.length);
    tasks.push({ id, mapped: false, final: false });
  }
  const rowOf = new Map(runs.map((run, index) => [run.id, index]));
  const bytes = new Uint8Array(runs.length * tasks.length);
  for (const { runId, taskIds, worst } of cells) {
    const offset = (rowOf.get(runId) ?? 0) * tasks.length;
    taskIds.forEach((id, index) => {
      bytes[offset + (columnOf.get(id) ?? 0)] = CODES[worst[index] ?? 0] ?? 0;
    });
  }
  return {
    tasks,
    runs,
    cells: Buffer.from(bytes).toString('base64'),
    before: rows.length > options.runs ? (runs[0]?.id ?? null) : null,
  };
}
