import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { CheckSeries } from '#contracts';
import { useEnv } from '../parts/environment.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { Card } from '../parts/page.tsx';
import { formatInstant } from '../parts/time-format.ts';
import { checksQuery } from '../queries.ts';
import { CheckCourse, SHAPES } from './check-course.tsx';
import styles from './checks.module.css';

const route = getRouteApi('/pipelines/$pipeline/checks');
/** Results that somebody should look at, newest first. */
const MOST_TOLD = 5;

/** Each check of the pipeline over its runs: how it ended, and how many rows were bad. */
export function ChecksTab() {
  const { pipeline } = route.useParams();
  const query = useQuery(checksQuery(useEnv(), pipeline));
  return (
    <Loaded query={query} height={400}>
      {({ items }) =>
        items.length === 0 ? (
          <Notice title="No results of checks yet" hint="A task with `checks:` leaves them with each run." />
        ) : (
          <div className={styles.checks} data-testid="checks">
            <p className="dim">
              {Object.entries(SHAPES).map(([state, shape]) => (
                <span key={state} className={styles.key} data-state={state}>
                  {shape} {state}
                </span>
              ))}
              bars: share of bad rows
            </p>
            {items.map((series) => (
              <CheckCard key={`${series.task} ${series.name} ${series.mapKey}`} series={series} />
            ))}
          </div>
        )
      }
    </Loaded>
  );
}

function CheckCard({ series }: { series: CheckSeries }) {
  const { task, name, mapKey, points } = series;
  const told = points.filter(({ state }) => state !== 'passed');
  return (
    <Card
      id={`check-${task}-${name}`}
      title={
        <>
          {name}{' '}
          <span className="dim mono">
            {task} {mapKey}
          </span>
        </>
      }
      beside={
        <span className="dim num">
          {told.length === 0 ? `passed in ${points.length} runs` : `${told.length} of ${points.length} runs not passed`}
        </span>
      }
    >
      <CheckCourse series={series} />
      {told.length > 0 && (
        <ul className={styles.told}>
          {told
            .slice(-MOST_TOLD)
            .reverse()
            .map((point) => (
              <li key={point.runId} data-state={point.state}>
                <b>
                  {SHAPES[point.state]} {point.state}
                </b>{' '}
                {point.detail},{' '}
                <Link to="/runs/$run/tasks/$task" params={{ run: point.runId, task }} className="link num">
                  {point.intervalStart === null ? `run ${point.runId}` : formatInstant(point.intervalStart)}
                </Link>
              </li>
            ))}
        </ul>
      )}
    </Card>
  );
}
