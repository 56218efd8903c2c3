import { Link } from '@tanstack/react-router';
import type { Run } from '#contracts';
import { formatInterval } from './time-format.ts';

/** What people call a run: its interval, or its id when it has none. */
export function runName(run: Pick<Run, 'id' | 'interval'>): string {
  return run.interval === null ? run.id : formatInterval(run.interval);
}

export function RunLink({ run }: { run: Pick<Run, 'id' | 'interval'> }) {
  return (
    <Link to="/runs/$run" params={{ run: run.id }} className="link num" title={run.id} style={{ whiteSpace: 'nowrap' }}>
      {runName(run)}
    </Link>
  );
}
