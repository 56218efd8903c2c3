import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet } from '@tanstack/react-router';
import { IconPlayerPause } from '@tabler/icons-react';
import { pipelineQuery } from '../queries.ts';
import { useEnv } from '../parts/environment.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Fact, Facts, PageBody, PageHead } from '../parts/page.tsx';
import { Progress } from '../parts/progress.tsx';
import { Release } from '../parts/release.tsx';
import tabs from '../parts/tabs.module.css';
import { Ago } from '../parts/time.tsx';
import { PipelineActions } from '../trigger/pipeline-actions.tsx';

const route = getRouteApi('/pipelines/$pipeline');
const TABS = [
  ['/pipelines/$pipeline/grid', 'Grid'],
  ['/pipelines/$pipeline/graph', 'Graph'],
  ['/pipelines/$pipeline/metrics', 'Metrics'],
  ['/pipelines/$pipeline/source', 'YAML'],
] as const;

export function PipelinePage() {
  const env = useEnv();
  const { pipeline } = route.useParams();
  const query = useQuery(pipelineQuery(env, pipeline));
  const detail = query.data;
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
        {detail && (
          <Facts>
            <Fact label="Schedule">
              <span className="mono">{detail.schedule || '–'}</span>
            </Fact>
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
                {detail.activeRuns} <span className="dim">of {detail.maxActiveRuns} at once</span>
              </span>
            </Fact>
            <Fact label="Owner">{detail.owner || <span className="dim">nobody</span>}</Fact>
            <Fact label="File">
              <span className="mono">{detail.file}</span>
            </Fact>
          </Facts>
        )}
        <nav className={tabs.tabs} aria-label="Views of this pipeline">
          {TABS.map(([to, name]) => (
            <Link
              key={to}
              to={to}
              params={{ pipeline }}
              className={tabs.tab}
              activeOptions={{ includeSearch: false }}
              data-testid={`tab-${name.toLowerCase()}`}
            >
              {name}
              {name === 'YAML' && (detail?.problems.length ?? 0) > 0 && (
                <span className={tabs.count} style={{ color: 'var(--s-failed-fg)' }}>
                  {detail?.problems.length} problems
                </span>
              )}
            </Link>
          ))}
          <Link to="/runs" search={{ pipeline }} className={tabs.tab} data-testid="tab-runs">
            Runs
          </Link>
        </nav>
      </PageHead>
      <PageBody>
        <Loaded query={query} height={360}>
          {() => <Outlet />}
        </Loaded>
      </PageBody>
    </>
  );
}
