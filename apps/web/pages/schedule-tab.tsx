import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { IconClockExclamation } from '@tabler/icons-react';
import type { SchedulePreview } from '#contracts';
import { scheduleQuery } from '../queries.ts';
import { useEnv } from '../parts/environment.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { Card } from '../parts/page.tsx';
import table from '../parts/table.module.css';
import { Ago, IntervalText } from '../parts/time.tsx';
import styles from './schedule-tab.module.css';

const route = getRouteApi('/pipelines/$pipeline');

/** When the pipeline fires next, as the clocks of its zone show it, and what becomes of it when they change. */
export function ScheduleTab() {
  const env = useEnv();
  const { pipeline } = route.useParams();
  const query = useQuery(scheduleQuery(env, pipeline));
  return (
    <Loaded query={query} height={360}>
      {({ schedule, timezone, next, aroundChanges }) =>
        next.length === 0 && aroundChanges.length === 0 ? (
          <Notice title="Time starts no run" hint={schedule} />
        ) : (
          <div className={styles.cards}>
            <Card title="Next fires" beside={schedule}>
              <Fires fires={next} name="next-fires" />
            </Card>
            {aroundChanges.length > 0 && (
              <Card title="When the clocks change" beside={timezone}>
                <Fires fires={aroundChanges} name="fires-around-changes" />
              </Card>
            )}
          </div>
        )
      }
    </Loaded>
  );
}

function Fires({ fires, name }: { fires: SchedulePreview['next']; name: string }) {
  return (
    <div className={table.bare} tabIndex={0} role="region" aria-label={name.replaceAll('-', ' ')}>
      <table className={table.table} data-dense data-testid={name}>
        <thead>
          <tr>
            <th>Clocks show</th>
            <th>Offset</th>
            <th>Run is created</th>
            <th>Interval</th>
            <th>Change of the clocks</th>
          </tr>
        </thead>
        <tbody>
          {fires.map(({ at, local, offset, intervalStart, intervalEnd, clocks }) => (
            <tr key={at} data-changed={clocks !== null || undefined}>
              <td className={`${table.tight} num`}>{local}</td>
              <td className={`${table.tight} num`}>{offset}</td>
              <td className={table.tight}>
                <Ago at={at} />
              </td>
              <td className={table.tight}>
                <IntervalText interval={{ start: intervalStart, end: intervalEnd }} />
              </td>
              <td>
                {clocks !== null && (
                  <span className={styles.clocks}>
                    <IconClockExclamation size={15} aria-hidden /> {clocks}
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
