import { GRID_SEVERITY } from '../../../libs/contracts/grid-cells.ts';
import { cellState, markAt, type GridData } from './decode-grid.ts';

/** A row of the grid: a task, or the band of a group, which when it is closed stands for all of its tasks. */
export type GridRow =
  | { readonly kind: 'task'; readonly task: number; readonly group: string | null }
  | {
      readonly kind: 'group';
      readonly group: string;
      readonly tasks: readonly number[];
      readonly isClosed: boolean;
    };

/** The tasks of a group stand together, below its band, where the first of them stands. */
export function gridRows({ tasks }: Pick<GridData, 'tasks'>, closed: ReadonlySet<string>): GridRow[] {
  const members = new Map<string, number[]>();
  for (const [task, { group }] of tasks.entries())
    if (group !== null) members.set(group, [...(members.get(group) ?? []), task]);
  return tasks.flatMap(({ group }, task): GridRow[] => {
    if (group === null) return [{ kind: 'task', task, group }];
    const all = members.get(group) ?? [];
    if (all[0] !== task) return [];
    const isClosed = closed.has(group);
    const below = isClosed ? [] : all.map((member): GridRow => ({ kind: 'task', task: member, group }));
    return [{ kind: 'group', group, tasks: all, isClosed }, ...below];
  });
}

/** Where a task stands, or the closed group that it is in; −1, the row above all, for what is nowhere. */
export function rowOf(rows: readonly GridRow[], task: number): number {
  return rows.findIndex((row) => (row.kind === 'task' ? row.task === task : row.isClosed && row.tasks.includes(task)));
}

/** Of a closed group the task that is worst in this run, of equals one that is marked; null: the row shows no cell. */
export function taskAt(grid: GridData, row: GridRow | undefined, run: number): number | null {
  if (row === undefined) return null;
  if (row.kind === 'task') return row.task;
  return row.isClosed ? worstOf(grid, row.tasks, run) : null;
}

function worstOf(grid: GridData, tasks: readonly number[], run: number): number | null {
  const rank = (task: number): number =>
    GRID_SEVERITY.indexOf(cellState(grid, run, task)) - (markAt(grid, run, task) === null ? 0 : 0.5);
  return tasks.reduce<number | null>(
    (worst, task) => (worst === null || rank(task) < rank(worst) ? task : worst),
    null,
  );
}
