import { markedText } from '../acting/marked.tsx';
import { lookOf } from '../parts/state-look.ts';
import { formatInstant } from '../parts/time-format.ts';
import { cellState, markAt, type GridData } from './decode-grid.ts';
import { rowOf, type GridRow } from './grid-rows.ts';
import type { Place } from './grid-shape.ts';

interface GridMirrorProps {
  readonly grid: GridData;
  readonly rows: readonly GridRow[];
  readonly place: Place | null;
}

/**
 * What the canvas shows, for screen readers: a grid whose row of the selection is in the document, its cell being the
 * active one. Rows out of sight are announced by their indexes, as in any virtual grid.
 */
export function GridMirror({ grid, rows, place }: GridMirrorProps) {
  const at = place ?? { run: grid.runs.length - 1, task: -1 };
  const run = grid.runs[at.run];
  const task = grid.tasks[at.task];
  const cell = `grid-cell-${at.run}-${at.task}`;
  if (run === undefined) return null;
  const index = task === undefined ? -1 : rowOf(rows, at.task);
  const row = rows[index];
  const name = row?.kind === 'group' ? `group ${row.group}: ${task?.id ?? ''}` : (task?.id ?? 'run');
  const mark = markAt(grid, at.run, at.task);
  const state = task === undefined ? run.state : cellState(grid, at.run, at.task);
  return (
    <div
      role="grid"
      tabIndex={0}
      className="sr-only"
      aria-label="Runs and tasks. Arrow keys move, Enter opens."
      aria-rowcount={rows.length + 1}
      aria-colcount={grid.runs.length}
      aria-activedescendant={cell}
      data-testid="grid"
    >
      <div role="row" aria-rowindex={index + 2}>
        <div role="rowheader">{name}</div>
        <div
          role="gridcell"
          id={cell}
          aria-colindex={at.run + 1}
          aria-selected={place !== null}
          data-testid="grid-active"
        >
          {name}, {run.intervalStart === null ? run.id : formatInstant(run.intervalStart)}: {lookOf(state).label}
          {mark !== null && `. ${markedText(mark)}`}
        </div>
      </div>
    </div>
  );
}
