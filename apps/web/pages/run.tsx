import { lazy, Suspense, type ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import type { RunDetail } from '#contracts';
import { ApiError } from '../api.ts';
import { archivedRunQuery, runQuery, whyQuery } from '../queries.ts';
import { useRerun } from '../actions.ts';
import { RUN_TABS, type RunTab } from '../router.tsx';
import { IconButton } from '../parts/icon-button.tsx';
import { useKeys } from '../parts/keys.ts';
import { Loaded } from '../parts/loaded.tsx';
import { PageBody, PageHead, PipelineLink } from '../parts/page.tsx';
import { useEnvOfRun } from '../parts/environment.ts';
import { runName } from '../parts/run-title.tsx';
import { StateBadge } from '../parts/state-icon.tsx';
import { isOver, lookOf } from '../parts/state-look.ts';
import { TabCount, tabProps, Tabs } from '../parts/tabs.tsx';
import { Timeline } from '../timeline/timeline.tsx';
import { RunActions } from './run-actions.tsx';
import { RunConfig } from './run-config.tsx';
import { RunFacts } from './run-facts.tsx';
import { RunQuestions } from './run-questions.tsx';
import { RunWhy } from './run-why.tsx';
import { TaskTable } from './task-table.tsx';

const RunGraph = lazy(() => import('../graph/run-graph.tsx').then((file) => ({ default: file.RunGraph })));
const ArchivedRun = lazy(() => import('./archived-run.tsx').then((file) => ({ default: file.ArchivedRun })));
const route = getRouteApi('/runs/$run');
const NAMES: Readonly<Record<RunTab, string>> = {
  timeline: 'Timeline',
  graph: 'Graph',
  tasks: 'Tasks',
  why: 'Why it waits',
  config: 'Config and source',
};

export function RunPage() {
  const { run: id } = route.useParams();
  const query = useQuery(runQuery(id));
  const isGone = query.error instanceof ApiError && query.error.code === 'not_found';
  const archived = useQuery({ ...archivedRunQuery(id), enabled: isGone });
  if (archived.data !== undefined)
    return (
      <Suspense fallback={null}>
        <ArchivedRun run={archived.data} />
      </Suspense>
    );
  return (
    <>
      {query.data === undefined && <PageHead title={<span className="mono">{id}</span>} name={`Run ${id}`} />}
      <Loaded query={query} height={480} page>
        {(run) => <Run run={run} />}
      </Loaded>
    </>
  );
}

function Run({ run }: { run: RunDetail }) {
  const { tab = 'timeline' } = route.useSearch();
  const navigate = useNavigate();
  const over = isOver(run.state);
  const why = useQuery({ ...whyQuery(run.id), enabled: !over || tab === 'why' });
  const waiting = why.data?.items.filter(({ rule }) => rule !== 'cache').length ?? 0;
  const hasCache = run.taskRuns.some(({ cache }) => cache !== undefined);
  const rerun = useRerun(run.id);
  useEnvOfRun(run.environment);
  const tabs = RUN_TABS.filter((name) => name !== 'why' || !over || hasCache || tab === 'why');
  const open = (id: string | null) => {
    if (id !== null) void navigate({ to: '/runs/$run', params: { run: id }, search: { tab } });
  };
  useKeys({
    '[': () => open(run.previousRun),
    ']': () => open(run.nextRun),
    ...Object.fromEntries(
      tabs.map((name, index) => [
        String(index + 1),
        () => void navigate({ to: '/runs/$run', params: { run: run.id }, search: { tab: name } }),
      ]),
    ),
    ...(over && run.state !== 'success' ? { r: () => rerun.mutate({ mode: 'failed' }) } : {}),
  });
  return (
    <>
      <PageHead
        name={`${run.pipeline} ${runName(run)}`}
        above={[<PipelineLink key="pipeline" name={run.pipeline} />]}
        title={<span className="num">{runName(run)}</span>}
        beside={
          <>
            <span aria-live="polite" aria-atomic="true">
              <span className="sr-only">Run state: {lookOf(run.state).label}</span>
              <span aria-hidden>
                <StateBadge state={run.state} size="large" />
              </span>
            </span>
            <Neighbour name="Run before" shortcut="[" id={run.previousRun} icon={<IconChevronLeft size={17} />} />
            <Neighbour name="Run after" shortcut="]" id={run.nextRun} icon={<IconChevronRight size={17} />} />
          </>
        }
        actions={<RunActions run={run} />}
      >
        <RunFacts run={run} />
        <RunQuestions run={run} />
        <Tabs label="Views of this run">
          {tabs.map((name) => (
            <Link
              key={name}
              to="/runs/$run"
              params={{ run: run.id }}
              search={{ tab: name }}
              replace
              {...tabProps(name, tab === name)}
            >
              {NAMES[name]}
              {name === 'why' && !over && waiting > 0 && <TabCount>{waiting}</TabCount>}
              {name === 'tasks' && <TabCount>{run.taskRuns.length}</TabCount>}
            </Link>
          ))}
        </Tabs>
      </PageHead>
      <PageBody>
        {tab === 'timeline' && <Timeline run={run} />}
        {tab === 'graph' && (
          <Suspense fallback={null}>
            <RunGraph run={run} />
          </Suspense>
        )}
        {tab === 'tasks' && <TaskTable run={run} />}
        {tab === 'why' && <RunWhy run={run} query={why} />}
        {tab === 'config' && <RunConfig run={run} />}
      </PageBody>
    </>
  );
}

function Neighbour({
  name,
  shortcut,
  id,
  icon,
}: {
  name: string;
  shortcut: string;
  id: string | null;
  icon: ReactNode;
}) {
  return (
    <IconButton
      name={name}
      shortcut={shortcut}
      size={24}
      {...(id === null
        ? { disabled: true }
        : {
            renderRoot: (props: Record<string, unknown>) => (
              <Link to="/runs/$run" params={{ run: id }} search={(old) => ({ env: old.env })} {...props} />
            ),
          })}
    >
      {icon}
    </IconButton>
  );
}
