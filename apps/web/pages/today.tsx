import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import type { Run } from '#contracts';
import { dayQuery, environmentsQuery, pipelinesQuery, runsQuery } from '../queries.ts';
import { useNow } from '../parts/clock.ts';
import { useEnv } from '../parts/environment.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Failure, Notice } from '../parts/notice.tsx';
import { Card, PageBody, PageHead } from '../parts/page.tsx';
import { ProblemList } from '../parts/problem-list.tsx';
import { Ago } from '../parts/time.tsx';
import { FollowCard } from '../today/follow-card.tsx';
import { useMyApprovals } from '../promotion/use-my-approvals.ts';
import { HealthCard } from '../today/health-card.tsx';
import { NeedsCard } from '../today/needs-card.tsx';
import { ENDED_STATES } from '../today/day-runs.ts';
import { healthStrip } from '../today/health-strip.ts';
import { needsMe } from '../today/needs-me.ts';
import { PromotionsCard } from '../today/promotions-card.tsx';
import { ActiveCard, NewestCard, NextCard, Tile } from '../today/today-parts.tsx';
import styles from '../today/today.module.css';

const DAY = 86_400_000;
/** Enough to see which failures were repaired since. */
const RECENT = 100;

/** What needs me, what runs, what comes next. */
export function TodayPage() {
  const env = useEnv();
  const now = useNow('ten_seconds');
  const pipelines = useQuery(pipelinesQuery(env));
  const recent = useInfiniteQuery(runsQuery(env, { state: ENDED_STATES }, RECENT));
  const day = useQuery(dayQuery(env));
  const failed = useInfiniteQuery(runsQuery(env, { state: 'failed,timed_out' }, 50));
  const running = useInfiniteQuery(runsQuery(env, { state: 'running' }, 50));
  const approvals = useMyApprovals();
  const environment = useQuery(environmentsQuery).data?.items.find((one) => one.name === env);
  const today = new Date(now).toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });
  return (
    <>
      <PageHead title="Today" name="Today" beside={today} />
      <PageBody>
        {environment !== undefined && <FollowCard env={env} follow={environment.follow} />}
        <Loaded query={pipelines} height={480}>
          {({ items }) => {
            const runs = first(recent.data);
            if (items.length === 0)
              return (
                <div className={styles.page}>
                  <Empty env={env} />
                  {approvals.length > 0 && <NeedsCard needs={[]} approvals={approvals} />}
                </div>
              );
            const needs = needsMe(items, [...runs, ...first(failed.data), ...first(running.data)], now);
            const ended = (day.data?.runs ?? []).filter((run) => run.at > now - DAY);
            const good = ended.filter((run) => run.state === 'success').length;
            const bad = ended.filter((run) => run.state === 'failed' || run.state === 'timed_out').length;
            const next = items
              .filter((one) => !one.paused && one.nextFireAt !== null)
              .map((one) => one.nextFireAt ?? '')
              .sort()[0];
            return (
              <div className={styles.page}>
                {recent.error !== null && recent.data === undefined && (
                  <Failure error={recent.error} onRetry={() => void recent.refetch()} />
                )}
                <div className={styles.tiles}>
                  <Tile label="need attention" tone={needs.length > 0 ? 'bad' : undefined}>
                    {needs.length + approvals.length}
                  </Tile>
                  <Tile label="active runs">{items.reduce((sum, one) => sum + one.activeRuns, 0)}</Tile>
                  <Tile label={`runs ended in 24 h${day.data?.complete === false ? ', at least' : ''}`}>
                    {ended.length}
                  </Tile>
                  <Tile label="of them succeeded">{good + bad === 0 ? '–' : `${percent(good / (good + bad))} %`}</Tile>
                  <Tile label="next fire">{next === undefined ? '–' : <Ago at={next} />}</Tile>
                </div>
                {environment !== undefined &&
                  environment.problems.length > 0 &&
                  items.every((one) => one.problems.length === 0) && (
                    <Card title="The newest files are not what runs">
                      <div style={{ padding: 14 }}>
                        <ProblemList problems={environment.problems} />
                      </div>
                    </Card>
                  )}
                {day.data !== undefined && (
                  <HealthCard
                    strip={healthStrip(
                      items.map((one) => one.name),
                      day.data,
                      now,
                    )}
                  />
                )}
                <div className={styles.columns}>
                  <div className={styles.column}>
                    <NeedsCard needs={needs} approvals={approvals} />
                    <ActiveCard runs={first(running.data).filter((run) => run.state === 'running')} />
                  </div>
                  <div className={styles.column}>
                    <NextCard pipelines={items} />
                    <NewestCard runs={first(recent.data)} />
                    <PromotionsCard />
                  </div>
                </div>
              </div>
            );
          }}
        </Loaded>
      </PageBody>
    </>
  );
}

function Empty({ env }: { env: string }) {
  return (
    <Notice
      title={`Nothing in ${env} yet`}
      hint={
        <>
          A pipeline is one YAML file in <code>dags/</code>. <code>sluice init</code> writes a first one,{' '}
          <code>sluice run NAME</code> runs it.
        </>
      }
    />
  );
}

function first(data: { pages: readonly { items: readonly Run[] }[] } | undefined): readonly Run[] {
  return data?.pages.flatMap((page) => page.items) ?? [];
}

/** Never rounds up to 100. */
function percent(share: number): string {
  const value = share * 100;
  return value === 100 ? '100' : (Math.floor(value * 10) / 10).toFixed(1);
}
