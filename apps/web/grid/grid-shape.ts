import type { GridData } from './decode-grid.ts';
import { rowOf, taskAt, type GridRow } from './grid-rows.ts';

/** A place in the grid; task −1 is the row of bars, the run itself. */
export interface Place {
  readonly run: number;
  readonly task: number;
}

/** Pixels. Few runs get wide columns, many get narrow ones. */
export interface GridShape {
  readonly columnWidth: number;
  readonly rowHeight: number;
  readonly cell: number;
  readonly headHeight: number;
}

export const HEAD = { releases: 16, bars: 56, dates: 20 } as const;

export function gridShape(grid: GridData, rows: number, width: number): GridShape {
  const columnWidth = Math.max(14, Math.min(30, Math.floor(width / Math.max(1, grid.runs.length))));
  const rowHeight = rows <= 12 ? 30 : rows <= 60 ? 24 : 20;
  return {
    columnWidth,
    rowHeight,
    cell: Math.min(columnWidth - 2, rowHeight - 6, 20),
    headHeight: HEAD.releases + HEAD.bars + HEAD.dates,
  };
}

/** Where arrows and hjkl lead, row by row as they are shown; stays inside. */
export function move(place: Place, key: string, grid: GridData, rows: readonly GridRow[]): Place | null {
  const step = STEPS[key];
  if (step === undefined) return null;
  const run = clamp(place.run + step.run, 0, grid.runs.length - 1);
  const from = rowOf(rows, place.task);
  let row = clamp(from + step.task, -1, rows.length - 1);
  // The band of an open group has no cells.
  while (row >= 0 && taskAt(grid, rows[row], run) === null) row += step.task;
  return { run, task: taskAt(grid, rows[row], run) ?? -1 };
}

const STEPS: Readonly<Record<string, Place>> = {
  ArrowLeft: { run: -1, task: 0 },
  h: { run: -1, task: 0 },
  '[': { run: -1, task: 0 },
  ArrowRight: { run: 1, task: 0 },
  l: { run: 1, task: 0 },
  ']': { run: 1, task: 0 },
  ArrowUp: { run: 0, task: -1 },
  k: { run: 0, task: -1 },
  ArrowDown: { run: 0, task: 1 },
  j: { run: 0, task: 1 },
  Home: { run: -Infinity, task: 0 },
  End: { run: Infinity, task: 0 },
};

/** The selection as the address tells it: `run` or `run/task`. */
export function placeOf(grid: GridData, sel: string | undefined): Place | null {
  if (sel === undefined) return null;
  const slash = sel.indexOf('/');
  const run = grid.runs.findIndex((one) => one.id === (slash < 0 ? sel : sel.slice(0, slash)));
  if (run < 0) return null;
  return { run, task: slash < 0 ? -1 : grid.tasks.findIndex((one) => one.id === sel.slice(slash + 1)) };
}

export function selOf(grid: GridData, place: Place): string {
  const run = grid.runs[place.run]?.id ?? '';
  const task = grid.tasks[place.task];
  return task === undefined ? run : `${run}/${task.id}`;
}

/** Milliseconds per run; null before the start. */
export function runDurations(grid: GridData, now: number): (number | null)[] {
  return grid.runs.map((run) =>
    run.startedAt === null
      ? null
      : (run.finishedAt === null ? now : Date.parse(run.finishedAt)) - Date.parse(run.startedAt),
  );
}

/** The column to be in sight on arrival: the newest run, or where a catch-up has got to (and a little of what comes next). */
export function frontier(runs: readonly { readonly startedAt: string | null }[]): number {
  const started = runs.findLastIndex((run) => run.startedAt !== null);
  return started < 0 ? 0 : Math.min(runs.length, started + 1 + AHEAD);
}

const AHEAD = 6;

/** Indexes of runs whose release differs from the run before. */
export function releaseChanges(runs: readonly { readonly release: string }[]): number[] {
  return runs.flatMap((run, index) => (index > 0 && run.release !== runs[index - 1]?.release ? [index] : []));
}

/** Which columns carry a date: the first, then wherever there is room and the text changes. */
export function dateTicks(
  runs: readonly { readonly intervalStart: string | null; readonly createdAt: string }[],
  columnWidth: number,
): { index: number; text: string }[] {
  const ticks: { index: number; text: string }[] = [];
  let year = '';
  let free = 0;
  runs.forEach((run, index) => {
    if (index * columnWidth < free) return;
    const at = run.intervalStart ?? run.createdAt;
    const text = at.slice(0, 4) === year ? at.slice(5, 10) : at.slice(0, 10);
    if (text === ticks.at(-1)?.text) return;
    year = at.slice(0, 4);
    free = index * columnWidth + text.length * 7 + 16;
    ticks.push({ index, text });
  });
  return ticks;
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
