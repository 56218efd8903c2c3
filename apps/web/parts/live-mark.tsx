import type { LiveState } from '../live.ts';
import styles from './live-mark.module.css';

const TEXT: Readonly<Record<LiveState, [string, string]>> = {
  connecting: ['Connecting', 'Opening the event stream'],
  live: ['Live', 'Changes arrive as they happen'],
  lost: ['Reconnecting', 'The event stream broke; what you see may be old'],
  paused: ['Paused', 'The tab was hidden; it continues when you come back'],
};

export function LiveMark({ state }: { state: LiveState }) {
  const [text, title] = TEXT[state];
  return (
    <span className={styles.live} data-state={state} title={title} role="status" data-testid="live">
      <span className={styles.dot} aria-hidden />
      {text}
    </span>
  );
}
