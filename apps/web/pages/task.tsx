import { useEffect, useRef } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { TaskRunDetail } from '#contracts';
import { taskQuery } from '../queries.ts';
import { TASK_TABS, type TaskTab } from '../router.tsx';
import { useEnvOfRun } from '../parts/environment.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { PageBody, PageHead, PipelineLink } from '../parts/page.tsx';
import { Progress } from '../parts/progress.tsx';
import { runName } from '../parts/run-title.tsx';
import { StateBadge } from '../parts/state-icon.tsx';
import { lookOf, shownState } from '../parts/state-look.ts';
import { TabCount, tabProps, Tabs } from '../parts/tabs.tsx';
import { NotebookTab } from '../notebook/notebook-tab.tsx';
import { LogView } from '../log/log-view.tsx';
import { AttemptSwitch, AttemptTable } from './attempts.tsx';
import { TaskCommand, TaskData, TaskSummary } from './task-parts.tsx';
import { TaskFacts } from './task-facts.tsx';
import { TaskMetrics } from './task-metrics.tsx';
import { TaskRunTable } from './task-table.tsx';

const route = getRouteApi('/runs/$run/tasks/$task');
const NAMES: Readonly<Record<TaskTab, string>> = {
  log: 'Log',
  notebook: 'Notebook',
  attempts: 'Attempts',
  command: 'Command',
  data: 'Data',
  metrics: 'Metrics',
  summary: 'Summary',
  'fan-out': 'Fan-out',
};

export function TaskPage() {
  const { run, task } = route.useParams();
  const { map = 0 } = route.useSearch();
  const query = useQuery(taskQuery(run, task, map));
  return (
    <>
      {query.data === undefined && <PageHead title={task} name={task} />}
      <Loaded query={query} height={480} page>
        {(detail) => <Task detail={detail} />}
      </Loaded>
    </>
  );
}

function Task({ detail }: { detail: TaskRunDetail }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const tab = search.tab ?? 'log';
  const { run, task } = detail;
  useEnvOfRun(run.environment);
  const attempt = detail.attempts.find((one) => one.number === search.try) ?? detail.attempts.at(-1);
  const counts: Partial<Record<TaskTab, number>> = {
    attempts: detail.attempts.length,
    ...(detail.siblings.length > 1 ? { 'fan-out': detail.siblings.length } : {}),
    ...(attempt !== undefined && attempt.metrics.length > 0
      ? { metrics: new Set(attempt.metrics.map((one) => one.name)).size }
      : {}),
  };
  const shown = TASK_TABS.filter(
    (name) =>
      (name !== 'notebook' || task.kind === 'notebook') &&
      (name !== 'fan-out' || detail.siblings.length > 1) &&
      (name !== 'summary' || detail.summary !== null || tab === 'summary'),
  );
  return (
    <>
      <PageHead
        name={`${task.id} ${detail.mapKey} · ${run.pipeline}`}
        above={[
          <PipelineLink key="pipeline" name={run.pipeline} />,
          <Link key="run" to="/runs/$run" params={{ run: run.id }} className="link num">
            {runName(run)}
          </Link>,
        ]}
        title={
          <>
            {task.id}
            {detail.mapKey !== '' && <span className="mono dim"> {detail.mapKey}</span>}
          </>
        }
        beside={
          <>
            <span aria-live="polite" aria-atomic="true">
              <span className="sr-only">State: {lookOf(detail.state).label}</span>
              <span aria-hidden>
                <StateBadge state={shownState(detail)} size="large" />
              </span>
            </span>
            {detail.state === 'running' && detail.progress !== null && (
              <span style={{ width: 200 }}>
                <Progress {...detail.progress} />
              </span>
            )}
          </>
        }
        actions={
          <AttemptSwitch
            attempts={detail.attempts}
            current={attempt?.number}
            onChoose={(number) => void navigate({ search: (old) => ({ ...old, try: number }), replace: true })}
          />
        }
      >
        <TaskFacts detail={detail} attempt={attempt} />
        <Tabs label="Views of this task">
          {shown.map((name) => (
            <Link
              key={name}
              to="/runs/$run/tasks/$task"
              params={{ run: run.id, task: task.id }}
              search={{ ...search, tab: name }}
              replace
              {...tabProps(name, tab === name)}
            >
              {NAMES[name]}
              {counts[name] !== undefined && <TabCount>{counts[name]}</TabCount>}
            </Link>
          ))}
        </Tabs>
      </PageHead>
      <PageBody>
        {tab === 'log' &&
          (attempt === undefined ? (
            <Notice
              title="Not started yet"
              hint={detail.reason ?? 'There is a log as soon as the first attempt runs.'}
            />
          ) : (
            <FillHeight>
              <LogView
                source={{
                  run: run.id,
                  task: task.id,
                  map: detail.mapIndex,
                  number: attempt.number,
                  over: attempt.finishedAt !== null,
                  lines: attempt.logLines,
                }}
                fromEnd={attempt.state !== 'success'}
                query={search.q ?? ''}
                onQuery={(q) =>
                  void navigate({
                    search: (old) => ({ ...old, q: q || undefined }),
                    hash: true,
                    replace: true,
                    resetScroll: false,
                  })
                }
              />
            </FillHeight>
          ))}
        {tab === 'notebook' && (
          <NotebookTab
            attempt={attempt}
            of={{ run: run.id, task: task.id, map: detail.mapIndex, number: attempt?.number ?? 1 }}
          />
        )}
        {tab === 'attempts' && <AttemptTable attempts={detail.attempts} />}
        {tab === 'command' && <TaskCommand detail={detail} />}
        {tab === 'data' && <TaskData detail={detail} />}
        {tab === 'metrics' && <TaskMetrics attempt={attempt} />}
        {tab === 'summary' && <TaskSummary detail={detail} />}
        {tab === 'fan-out' && <TaskRunTable runId={run.id} taskRuns={detail.siblings} current={detail.mapIndex} />}
      </PageBody>
    </>
  );
}

/** Tells its content where it begins, so that a log can take what is left of the window. */
function FillHeight({ children }: { children: React.ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const measure = () => {
      const top = box.current?.getBoundingClientRect().top ?? 300;
      box.current?.style.setProperty('--log-top', `${Math.round(top)}px`);
    };
    measure();
    window.addEventListener('resize', measure);
    return () => window.removeEventListener('resize', measure);
  }, []);
  return <div ref={box}>{children}</div>;
}
