import type { TaskState } from '#core';
import type { Grid, GridCell } from '#contracts';
import { GRID_CELLS } from '../../../libs/contracts/grid-cells.ts';

export type GridMark = Grid['marks'][number];

/** The grid with its cells as bytes. `cells[run * tasks.length + task]` is an index into GRID_CELLS. */
export interface GridData extends Omit<Grid, 'cells' | 'marks'> {
  readonly cells: Uint8Array;
  /** By `run/task`, or `run/` of the run itself. */
  readonly marks: ReadonlyMap<string, GridMark>;
}

/** Missing bytes become `none`, so that a short answer draws empty cells instead of breaking the page. */
export function decodeGrid(grid: Grid): GridData {
  const bytes = atob(grid.cells);
  const cells = new Uint8Array(grid.runs.length * grid.tasks.length);
  for (let index = 0; index < Math.min(bytes.length, cells.length); index++) cells[index] = bytes.charCodeAt(index);
  const marks = new Map(grid.marks.map((mark) => [`${mark.runId}/${mark.taskId ?? ''}`, mark]));
  return { ...grid, cells, marks };
}

/** What somebody said that a task, or with task −1 the run, counts as; null: nobody said anything. */
export function markAt({ runs, tasks, marks }: GridData, run: number, task: number): GridMark | null {
  return marks.get(`${runs[run]?.id ?? ''}/${tasks[task]?.id ?? ''}`) ?? null;
}

/** Unknown bytes (a newer server) read as `none`. */
export function cellState(grid: GridData, run: number, task: number): GridCell {
  return GRID_CELLS[grid.cells[run * grid.tasks.length + task] ?? 0] ?? 'none';
}

/** A copy with these task states set; null when the run is not in the grid. Fanned-out tasks are left as they are: one of their task runs does not tell the worst. */
export function patchCells(
  grid: GridData,
  runId: string,
  changes: readonly { readonly taskId: string; readonly state: TaskState }[],
): GridData | null {
  const run = grid.runs.findIndex((one) => one.id === runId);
  if (run < 0) return null;
  const cells = grid.cells.slice();
  for (const change of changes) {
    const task = grid.tasks.findIndex((one) => one.id === change.taskId && !one.mapped);
    if (task >= 0) cells[run * grid.tasks.length + task] = GRID_CELLS.indexOf(change.state);
  }
  return { ...grid, cells };
}
