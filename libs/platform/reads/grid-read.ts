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
  const worst = worstStates(rows);
  // Runs of other releases may have tasks that are gone; their columns come last.
  const shown = new Set(tasks.map((task) => task.id));
  for (const id of new Set([...worst.values()].flatMap((states) => [...states.keys()])))
    if (!shown.has(id)) tasks.push({ id, mapped: false, final: false });
  const cells = runs.flatMap((run) =>
    tasks.map((task) => GRID_CELLS.indexOf(worst.get(run.id)?.get(task.id) ?? 'none')),
  );
  return {
    tasks,
    runs,
    cells: Buffer.from(cells).toString('base64'),
    before: found.length > options.runs ? (runs[0]?.id ?? null) : null,
  };
}

/** By run, then by task. */
function worstStates(rows: readonly { runId: string; cells: string }[]): Map<string, Map<string, GridCell>> {
  return new Map(
    rows.map(({ runId, cells }) => {
      const states = new Map<string, GridCell>();
      for (const cell of cells.split(',')) {
        const space = cell.indexOf(' ');
        const [id, state] = [cell.slice(0, space), cell.slice(space + 1) as GridCell];
        const known = states.get(id);
        if (known === undefined || (RANK.get(state) ?? 0) < (RANK.get(known) ?? 0)) states.set(id, state);
      }
      return [runId, states];
    }),
  );
}
