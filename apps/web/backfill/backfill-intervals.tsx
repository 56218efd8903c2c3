import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Loaded } from '../parts/loaded.tsx';
import { Card } from '../parts/page.tsx';
import { StateBadge } from '../parts/state-icon.tsx';
import table from '../parts/table.module.css';
import { IntervalText } from '../parts/time.tsx';
import { backfillQuery } from './backfill-queries.ts';
import styles from './backfill.module.css';

/** Rows shown at first: a plan may have ten thousand. */
const SHOWN = 500;

/** What became of each interval of one backfill. */
export function BackfillIntervals({ env, pipeline, id }: { env: string; pipeline: string; id: string }) {
  const query = useQuery(backfillQuery(env, pipeline, id));
  return (
    <Card title={`Intervals of backfill ${id}`}>
      <Loaded query={query}>
        {({ intervals }) => (
          <div className={styles.plan}>
            <table className={table.table} data-dense data-testid="backfill-intervals">
              <thead>
                <tr>
                  <th>Interval</th>
                  <th>State</th>
                  <th>Run</th>
                  <th className={table.fill}>Reason</th>
                </tr>
              </thead>
              <tbody>
                {intervals.slice(0, SHOWN).map((one) => (
                  <tr key={one.interval.start}>
                    <td className={table.tight}>
                      <IntervalText interval={one.interval} />
                    </td>
                    <td className={table.tight}>
                      {one.runState === null ? (
                        <span className="dim">{one.state === 'left_out' ? 'left out' : one.state}</span>
                      ) : (
                        <StateBadge state={one.runState} />
                      )}
                    </td>
                    <td className={table.tight}>
                      {one.runId !== null && (
                        <Link to="/runs/$run" params={{ run: one.runId }} className="mono link">
                          {one.runId}
                        </Link>
                      )}
                    </td>
                    <td className={table.fill}>{one.reason}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {intervals.length > SHOWN && <p className="dim">And {intervals.length - SHOWN} more.</p>}
          </div>
        )}
      </Loaded>
    </Card>
  );
}
