import { describe, expect, test } from '@jest/globals';
import { TASK_STATES, type RunState, type TaskState } from '#core';
import { GRID_CELLS } from '#contracts';
import { cellState, decodeGrid, markAt, patchCells } from './decode-grid.ts';
import { gridRows, rowOf, taskAt } from './grid-rows.ts';
import { dateTicks, frontier, move, placeOf, releaseChanges, runDurations, selOf } from './grid-shape.ts';

const run = (id: string, more: Partial<ReturnType<typeof base>> = {}) => ({ ...base(id), ...more });
const base = (id: string) => ({
  id,
  state: 'success' as RunState,
  createdAt: '2001-01-02T00:00:00.000Z',
  startedAt: '2001-01-02T00:00:01.000Z' as string | null,
  finishedAt: '2001-01-02T00:00:03.000Z' as string | null,
  intervalStart: '2001-01-01T00:00:00.000Z' as string | null,
  release: 'a',
  trigger: 'schedule',
});
const encode = (states: readonly TaskState[]) =>
  btoa(String.fromCharCode(...states.map((state) => TASK_STATES.indexOf(state))));
const aGrid = (cells = encode(['success', 'failed', 'running', 'none'])) =>
  decodeGrid({
    tasks: [
      { id: 'ingest', mapped: false, final: false, group: null },
      { id: 'train', mapped: true, final: false, group: null },
    ],
    runs: [run('r1'), run('r2')],
    cells,
    marks: [],
    before: null,
  });

describe('the cells of a grid', () => {
  test('are read run by run, one byte per task', () => {
    const grid = aGrid();
    expect([cellState(grid, 0, 0), cellState(grid, 0, 1), cellState(grid, 1, 0), cellState(grid, 1, 1)]).toEqual([
      'success',
      'failed',
      'running',
      'none',
    ]);
  });

  test('read as none where the answer is short or says something unknown', () => {
    const grid = aGrid(btoa(String.fromCharCode(200)));
    expect([cellState(grid, 0, 0), cellState(grid, 1, 1)]).toEqual(['none', 'none']);
  });

  test('are patched in a copy; a fanned-out task waits for the next read', () => {
    const grid = aGrid();
    const next = patchCells(grid, 'r2', [
      { taskId: 'ingest', state: 'success' },
      { taskId: 'train', state: 'failed' },
    ]);
    expect(next && [cellState(next, 1, 0), cellState(next, 1, 1)]).toEqual(['success', 'none']);
    expect(cellState(grid, 1, 0)).toBe('running');
    expect(patchCells(grid, 'other', [])).toBeNull();
  });
});

describe('moving in a grid', () => {
  const grid = aGrid();
  const rows = gridRows(grid, new Set());

  test('stops at the edges; above the first task is the run itself', () => {
    expect(move({ run: 0, task: 0 }, 'k', grid, rows)).toEqual({ run: 0, task: -1 });
    expect(move({ run: 0, task: -1 }, 'ArrowUp', grid, rows)).toEqual({ run: 0, task: -1 });
    expect(move({ run: 1, task: 1 }, 'l', grid, rows)).toEqual({ run: 1, task: 1 });
    expect(move({ run: 1, task: 1 }, 'Home', grid, rows)).toEqual({ run: 0, task: 1 });
    expect(move({ run: 0, task: 0 }, 'x', grid, rows)).toBeNull();
  });

  test('the address names the place by run and task', () => {
    expect(selOf(grid, { run: 1, task: 1 })).toBe('r2/train');
    expect(placeOf(grid, 'r2/train')).toEqual({ run: 1, task: 1 });
    expect(placeOf(grid, 'r1')).toEqual({ run: 0, task: -1 });
    expect(placeOf(grid, 'gone/train')).toBeNull();
  });
});

describe('groups and marks in a grid', () => {
  const mark = { as: 'success' as const, by: 'ann', reason: 'r', at: '2001-01-02T00:00:00.000Z', mapIndex: null };
  const grid = decodeGrid({
    tasks: [
      { id: 'a', mapped: false, final: false, group: null },
      { id: 'b', mapped: true, final: false, group: 'g' },
      { id: 'c', mapped: false, final: false, group: null },
      { id: 'd', mapped: true, final: false, group: 'g' },
    ],
    runs: [run('r1'), run('r2')],
    cells: encode(['success', 'success', 'success', 'failed', 'success', 'running', 'success', 'skipped']),
    marks: [
      { ...mark, runId: 'r1', taskId: 'd' },
      { ...mark, runId: 'r2', taskId: null, as: 'failed' },
    ],
    before: null,
  });
  const opened = gridRows(grid, new Set());
  const closed = gridRows(grid, new Set(['g']));

  test('the tasks of a group stand together below its band; closed it stands for all of them', () => {
    const names = (rows: typeof opened) =>
      rows.map((row) => (row.kind === 'task' ? grid.tasks[row.task]?.id : row.group));
    expect([names(opened), names(closed)]).toEqual([
      ['a', 'g', 'b', 'd', 'c'],
      ['a', 'g', 'c'],
    ]);
    expect([rowOf(opened, 3), rowOf(closed, 3), rowOf(closed, -1)]).toEqual([3, 1, -1]);
  });

  test('of equals a closed group shows one that is marked', () => {
    const equal = { ...grid, cells: grid.cells.slice().fill(GRID_CELLS.indexOf('success')) };
    expect(taskAt(equal, closed[1], 0)).toBe(3);
  });

  test('a closed group shows in each run the task that is worst; the band of an open one shows none', () => {
    expect([taskAt(grid, closed[1], 0), taskAt(grid, closed[1], 1), taskAt(grid, opened[1], 0)]).toEqual([3, 1, null]);
  });

  test('moving goes row by row as they are shown', () => {
    expect(move({ run: 0, task: 0 }, 'j', grid, opened)).toEqual({ run: 0, task: 1 });
    expect(move({ run: 0, task: 1 }, 'j', grid, opened)).toEqual({ run: 0, task: 3 });
    expect(move({ run: 0, task: 1 }, 'k', grid, opened)).toEqual({ run: 0, task: 0 });
    expect(move({ run: 0, task: 2 }, 'k', grid, closed)).toEqual({ run: 0, task: 3 });
    expect(move({ run: 0, task: 3 }, 'l', grid, closed)).toEqual({ run: 1, task: 1 });
  });

  test('marks are known by run and task, and of the run itself', () => {
    expect([markAt(grid, 0, 3)?.as, markAt(grid, 1, -1)?.as, markAt(grid, 1, 3)]).toEqual(['success', 'failed', null]);
  });
});

describe('the head of a grid', () => {
  test('a run that goes on lasts until now, one that never started has no bar', () => {
    const grid = { ...aGrid(), runs: [run('r1'), run('r2', { finishedAt: null }), run('r3', { startedAt: null })] };
    expect(runDurations(grid, Date.parse('2001-01-02T00:00:11.000Z'))).toEqual([2000, 10_000, null]);
  });

  test('in a catch-up the place to look at is where it has got to', () => {
    const runs = Array.from({ length: 100 }, (_, index) => run(`r${index}`, index < 40 ? {} : { startedAt: null }));
    expect(frontier(runs)).toBe(46);
    expect(frontier(runs.slice(0, 40))).toBe(40);
    expect(frontier(runs.slice(50))).toBe(0);
  });

  test('release changes stand at the first run of the new release', () => {
    expect(releaseChanges([{ release: 'a' }, { release: 'a' }, { release: 'b' }, { release: 'a' }])).toEqual([2, 3]);
  });

  test('dates do not overlap and tell the year where it begins', () => {
    const runs = Array.from({ length: 40 }, (_, index) =>
      run(`r${index}`, { intervalStart: new Date(Date.UTC(2000, 11, 20 + index)).toISOString() }),
    );
    const ticks = dateTicks(runs, 20);
    expect(ticks[0]?.text).toBe('2000-12-20');
    expect(ticks.filter((tick) => tick.text.startsWith('2001'))).toHaveLength(1);
    for (const [index, tick] of ticks.entries()) {
      const next = ticks[index + 1];
      if (next) expect((next.index - tick.index) * 20).toBeGreaterThanOrEqual(tick.text.length * 7);
    }
  });
});
