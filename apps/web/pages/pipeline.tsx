import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet, useLocation } from '@tanstack/react-router';
import { IconPlayerPause } from '@tabler/icons-react';
import { pipelineQuery } from '../queries.ts';
import { useEnv } from '../parts/environment.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Fact, Facts, PageBody, PageHead } from '../parts/page.tsx';
import { Progress } from '../parts/progress.tsx';
import { Release } from '../parts/release.tsx';
import { TabCount, tabProps, Tabs } from '../parts/tabs.tsx';
import { Ago } from '../parts/time.tsx';
import { PipelineActions } from '../trigger/pipeline-actions.tsx';
import styles from './run-facts.module.css';

const route = getRouteApi('/pipelines/$pipeline');
const TABS = [
  ['/pipelines/$pipeline/grid', 'grid', 'Grid'],
  ['/pipelines/$pipeline/graph', 'graph', 'Graph'],
  ['/pipelines/$pipeline/metrics', 'metrics', 'Metrics'],
  ['/pipelines/$pipeline/backfills', 'backfills', 'Backfills'],
  ['/pipelines/$pipeline/schedule', 'schedule', 'Schedule'],
  ['/pipelines/$pipeline/checks', 'checks', 'Checks'],
  ['/pipelines/$pipeline/source', 'source', 'YAML'],
] as const;

export function PipelinePage() {
  const env = useEnv();
  const { pipeline } = route.useParams();
  const query = useQuery(pipelineQuery(env, pipeline));
  const here = useLocation({ select: (location) => location.pathname });
  const detail = query.data;
  const problems = detail?.problems.length ?? 0;
  return (
    <>
      <PageHead
        title={pipeline}
        name={pipeline}
        above={[
          <Link key="all" to="/pipelines" className="link">
            Pipelines
          </Link>,
        ]}
        beside={<span className="clip">{detail?.description}</span>}
        actions={detail && <PipelineActions pipeline={detail} />}
      >
        {detail?.pausedReason !== undefined && (
          <p className={styles.reason} data-tone="bad" data-testid="paused-reason">
            <IconPlayerPause size={15} aria-hidden />
            <span>Paused: {detail.pausedReason}. Continuing it starts the count anew.</span>
          </p>
        )}
        {detail && (
          <Facts>
            <Fact label="Schedule">{detail.schedule || '–'}</Fact>
            <Fact label="Next fire">
              {detail.paused ? (
                <>
                  <IconPlayerPause size={14} aria-hidden /> paused
                </>
              ) : (
                <Ago at={detail.nextFireAt} fallback="none" />
              )}
            </Fact>
            <Fact label="Release">
              <Release digest={detail.release} />
            </Fact>
            <Fact label="Catch-up">
              {detail.catchUp == null ? (
                detail.catchup
              ) : (
                <span style={{ width: 130 }}>
                  <Progress {...detail.catchUp} label={detail.catchup} bare />
                </span>
              )}
            </Fact>
            <Fact label="Active runs">
              <span className="num">
                {detail.activeRuns} <span className="dim">· at most {detail.maxActiveRuns} at once</span>
              </span>
            </Fact>
            <Fact label="Owner">{detail.owner || <span className="dim">nobody</span>}</Fact>
            <Fact label="File">
              <span className="mono">{detail.file}</span>
            </Fact>
          </Facts>
        )}
        <Tabs label="Views of this pipeline">
          {TABS.map(([to, name, title]) => (
            <Link
              key={name}
              to={to}
              params={{ pipeline }}
              activeOptions={{ includeSearch: false }}
              {...tabProps(name, here.endsWith(`/${name}`))}
            >
              {title}
              {name === 'source' && problems > 0 && (
                <TabCount tone="bad">{problems === 1 ? '1 problem' : `${problems} problems`}</TabCount>
              )}
            </Link>
          ))}
          <Link to="/runs" search={{ pipeline }} {...tabProps('runs', false)}>
            Runs
          </Link>
        </Tabs>
      </PageHead>
      <PageBody>
        <Loaded query={query} height={360}>
          {() => <Outlet />}
        </Loaded>
      </PageBody>
    </>
  );
}
