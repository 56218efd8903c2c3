import type { StoredMark } from '#core';
import { GRID_CELLS, GRID_SEVERITY, type Grid } from '#contracts';
import { apiQueries } from '#store';
import { currentPipeline } from './environment-reads.ts';
import type { ReadContext } from './read-context.ts';

const RANK = new Map<string, number>(GRID_SEVERITY.map((state, index) => [state, index]));
/** What stands for each in the answer. */
const BYTES = GRID_SEVERITY.map((state) => GRID_CELLS.indexOf(state));

export async function readGrid(
  context: ReadContext,
  environment: string,
  name: string,
  options: { runs: number; before: string | null },
): Promise<Grid> {
  const { entry } = await currentPipeline(context, environment, name);
  const found = await apiQueries.readGridRuns(context.db, environment, name, options.before, options.runs + 1);
  const runs = found.slice(0, options.runs).reverse();
  const ids = runs.map((run) => run.id);
  const rows = await apiQueries.readGridCells(context.db, ids);
  const marks = await context.store.marksOf(ids);
  const tasks = (entry.pipeline?.tasks ?? []).map(({ id, matrix, final, group = null }) => ({
    ...{ id, mapped: matrix !== null, final, group },
  }));
  const columns = new Map(tasks.map(({ id }, column) => [id, column]));
  // Runs of other releases may have tasks that are gone; their columns come last.
  const columnOf = (id: string): number => {
    const column = columns.get(id) ?? tasks.push({ id, mapped: false, final: false, group: null }) - 1;
    columns.set(id, column);
    return column;
  };
  const ranks = new Map(rows.map(({ runId, cells }) => [runId, worstRanks(cells, columnOf)]));
  const cells = Buffer.alloc(runs.length * tasks.length, GRID_CELLS.indexOf('none'));
  for (const [row, run] of runs.entries())
    ranks.get(run.id)?.forEach((rank, column) => (cells[row * tasks.length + column] = BYTES[rank] ?? 0));
  return {
    tasks,
    runs,
    cells: cells.toString('base64'),
    marks: lastMarks(marks),
    before: found.length > options.runs ? (runs[0]?.id ?? null) : null,
  };
}

/** Of each run, and of each task in it, the last one. */
function lastMarks(marks: readonly StoredMark[]): Grid['marks'] {
  const last = new Map(marks.map((mark) => [`${mark.runId}/${mark.taskId ?? ''}`, mark]));
  return [...last.values()].map(({ runId, taskId, mapIndex, state, actor, reason, at }) => ({
    ...{ runId, taskId, mapIndex, as: state, by: actor, reason, at },
  }));
}

/** By column, as places in GRID_SEVERITY; a column without a task run has none. */
function worstRanks(cells: string, columnOf: (id: string) => number): number[] {
  const ranks: number[] = [];
  for (let from = 0; from < cells.length;) {
    const comma = cells.indexOf(',', from);
    const to = comma === -1 ? cells.length : comma;
    const space = cells.indexOf(' ', from);
    const column = columnOf(cells.slice(from, space));
    const rank = RANK.get(cells.slice(space + 1, to)) ?? 0;
    const known = ranks[column];
    if (known === undefined || rank < known) ranks[column] = rank;
    from = to + 1;
  }
  return ranks;
}
