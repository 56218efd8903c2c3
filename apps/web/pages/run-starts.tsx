import { Link } from '@tanstack/react-router';
import type { RunDetail } from '#contracts';
import { StateIcon } from '../parts/state-icon.tsx';
import { Ago } from '../parts/time.tsx';
import styles from './run-facts.module.css';

/** More than a line or two is a list, and lists have pages of their own. */
const MOST = 12;

/** What started the run, and what it started: runs that others link to. */
export function RunStarts({ run: { startedBy, event, started } }: { run: RunDetail }) {
  return (
    <>
      {startedBy.length > 0 && (
        <p className={styles.starts} data-testid="started-by">
          <span>Started by</span>
          {startedBy.slice(0, MOST).map(({ runId, pipeline, path }) => (
            <RunLink key={`${runId} ${path ?? ''}`} runId={runId}>
              {path === null ? pipeline : `${pipeline}.${path}`} · {runId}
            </RunLink>
          ))}
          <More count={startedBy.length - MOST} />
        </p>
      )}
      {event !== null && (
        <p className={styles.starts} data-testid="started-by">
          <span>
            Started by event <b>{event.name}</b> from {event.actor}, key <span className="mono">{event.key}</span>,{' '}
            <Ago at={event.at} />
          </span>
        </p>
      )}
      {started.length > 0 && (
        <p className={styles.starts} data-testid="started">
          <span>It started</span>
          {started.slice(0, MOST).map(({ runId, pipeline, state, path }) => (
            <RunLink key={`${runId} ${path ?? ''}`} runId={runId}>
              <StateIcon state={state} /> {pipeline} · {runId}
            </RunLink>
          ))}
          <More count={started.length - MOST} />
        </p>
      )}
    </>
  );
}

function RunLink({ runId, children }: { runId: string; children: React.ReactNode }) {
  return (
    <Link to="/runs/$run" params={{ run: runId }} className="link">
      {children}
    </Link>
  );
}

function More({ count }: { count: number }) {
  return count > 0 ? <span>and {count} more</span> : null;
}
