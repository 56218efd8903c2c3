import { GRID_CELLS, type Grid, type GridCell } from '#contracts';
import { apiQueries } from '#store';
import { currentPipeline } from './environment-reads.ts';
import type { ReadContext } from './read-context.ts';

/** The state of a fan-out is the first of these that one of its task runs has: what people would want to know first. */
export const SEVERITY: readonly GridCell[] = [
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
  'cached',
  'skipped',
  'none',
];
const RANK = new Map<string, number>(SEVERITY.map((state, index) => [state, index]));
/** What stands for each in the answer. */
const BYTES = SEVERITY.map((state) => GRID_CELLS.indexOf(state));

export async function readGrid(
  context: ReadContext,
  environment: string,
  name: string,
  options: { runs: number; before: string | null },
): Promise<Grid> {
  const { entry } = await currentPipeline(context, environment, name);
  const found = await apiQueries.readGridRuns(context.db, environment, name, options.before, options.runs + 1);
  const runs = found.slice(0, options.runs).reverse();
  const rows = await apiQueries.readGridCells(
    context.db,
    runs.map((run) => run.id),
  );
  const tasks = (entry.pipeline?.tasks ?? []).map(({ id, matrix, final }) => ({ id, mapped: matrix !== null, final }));
  const columns = new Map(tasks.map(({ id }, column) => [id, column]));
  // Runs of other releases may have tasks that are gone; their columns come last.
  const columnOf = (id: string): number => {
    const column = columns.get(id) ?? tasks.push({ id, mapped: false, final: false }) - 1;
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
    before: found.length > options.runs ? (runs[0]?.id ?? null) : null,
  };
}

/** By column, as places in SEVERITY; a column without a task run has none. */
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
