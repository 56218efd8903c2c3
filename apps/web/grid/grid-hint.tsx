import { markedText } from '../acting/marked.tsx';
import { lookOf } from '../parts/state-look.ts';
import { formatDuration, formatInstant } from '../parts/time-format.ts';
import { cellState, markAt, type GridData } from './decode-grid.ts';
import type { Place } from './grid-shape.ts';
import styles from './grid.module.css';

interface GridHintProps {
  readonly grid: GridData;
  readonly place: Place;
  /** The closed group whose worst task the place is; null: none. */
  readonly group: string | null;
  readonly durations: readonly (number | null)[];
  readonly left: number;
  readonly top: number;
  readonly width: number;
}

/** What is below the pointer, in words. */
export function GridHint({ grid, place, group, durations, left, top, width }: GridHintProps) {
  const run = grid.runs[place.run];
  const task = grid.tasks[place.task];
  if (run === undefined) return null;
  const state = task === undefined ? run.state : cellState(grid, place.run, place.task);
  const ms = durations[place.run] ?? null;
  const mark = markAt(grid, place.run, place.task);
  return (
    <div
      className={styles.hint}
      style={{ top: top + 6, ...(left > width - 240 ? { right: width - left } : { left: left + 8 }) }}
      aria-hidden
      data-testid="grid-hint"
    >
      <b>{group === null ? (task?.id ?? 'run') : `${group}: ${task?.id ?? ''}`}</b> ·{' '}
      <span style={{ color: `var(--s-${lookOf(state).tone}-fg)` }}>{lookOf(state).label}</span>
      <br />
      {run.intervalStart === null ? run.trigger : formatInstant(run.intervalStart)}
      {task === undefined && ms !== null && ` · ${formatDuration(ms)}`}
      {mark !== null && <span className={styles.said}>{markedText(mark)}</span>}
    </div>
  );
}
