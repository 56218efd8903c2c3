import { TASK_STATES } from '#core';
import { lookOf } from './state-look.ts';
import styles from './task-counts.module.css';

/** Bad first, then what moves, then what is done. */
const ORDER = [
  'failed',
  'lost',
  'upstream_failed',
  'retrying',
  'running',
  'queued',
  'ready',
  'waiting',
  'success',
  'skipped',
  'cancelled',
  'none',
];

interface TaskCountsProps {
  readonly counts: Readonly<Record<string, number>>;
  /** Whether `counts` has every task run: a run under way has none for those that are not ready yet. */
  readonly whole: boolean;
}

/** Task runs by state as one thin bar, with the numbers in words for everybody. */
export function TaskCounts({ counts, whole }: TaskCountsProps) {
  const known = TASK_STATES.filter((state) => (counts[state] ?? 0) > 0).sort(
    (a, b) => ORDER.indexOf(a) - ORDER.indexOf(b),
  );
  const total = known.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  if (total === 0) return <span className="dim">–</span>;
  const words = known.map((state) => `${counts[state]} ${lookOf(state).label}`).join(', ');
  const done = (counts['success'] ?? 0) + (counts['skipped'] ?? 0);
  return (
    <span className={styles.counts} title={words}>
      <span className={styles.bar} aria-hidden>
        {[...known].reverse().map((state) => (
          <span key={state} style={{ flexGrow: counts[state], background: `var(--s-${lookOf(state).tone})` }} />
        ))}
      </span>
      <span className="num">
        {done}
        <span className="dim">{whole ? `/${total}` : ' done'}</span>
      </span>
      <span className="sr-only">{words}</span>
    </span>
  );
}
