import type { InfiniteData, QueryClient, QueryKey } from '@tanstack/react-query';
import type { LiveEvent, PipelineSummary, Run, RunDetail, TaskRunDetail } from '#contracts';
import type { Page } from '#contracts/client';
import { patchCells, type GridData } from './grid/decode-grid.ts';
import { addToDay, type Day } from './today/day-runs.ts';

/**
 * Writes what an event says into the caches and calls `stale` for what it does not say (times, counts, new rows).
 * `stale` gathers: many events about one thing become one request, and only for what is on the screen.
 */
export function applyEvent(client: QueryClient, event: LiveEvent, stale: (key: QueryKey) => void): void {
  switch (event.kind) {
    case 'run':
      patchRun(client, event);
      for (const key of ['grid', 'pipeline', 'metrics', 'backfills', 'checks'])
        stale([key, event.environment, event.pipeline]);
      for (const key of ['runs', 'pipelines']) stale([key, event.environment]);
      stale(['run', event.runId]);
      stale(['why', event.runId]);
      return;
    case 'tasks':
      patchTasks(client, event);
      stale(['run', event.runId]);
      stale(['why', event.runId]);
      for (const one of event.taskRuns) stale(['task', event.runId, one.taskId, one.mapIndex]);
      return;
    case 'progress':
      patchProgress(client, event);
      return;
    case 'alert':
      stale(['alerts', event.environment]);
      return;
    case 'verification':
      stale(['verification', event.runId]);
      return;
    case 'promotion':
      for (const key of ['board', 'promotions']) stale([key]);
      stale(['promotion', event.promotionId]);
      stale(['audit']);
      return;
    case 'stand':
      for (const key of ['board', 'audit']) stale([key]);
      stale(['plan', event.environment]);
      return;
    case 'release':
      for (const key of ['environments', 'board', 'releases', 'release', 'audit']) stale([key]);
      for (const key of ['plan', 'drift']) stale([key, event.environment]);
      for (const key of ['pipelines', 'pipeline', 'grid']) stale([key, event.environment]);
      return;
    default:
      return;
  }
}

function patchRun(client: QueryClient, event: LiveEvent & { kind: 'run' }): void {
  const { runId, state } = event;
  client.setQueriesData<InfiniteData<Page<Run>>>({ queryKey: ['runs', event.environment] }, (data) =>
    data === undefined
      ? data
      : {
          ...data,
          pages: data.pages.map((page) => ({
            ...page,
            items: page.items.map((run) => (run.id === runId ? { ...run, state } : run)),
          })),
        },
  );
  client.setQueryData<RunDetail>(['run', runId], (run) => (run === undefined ? run : { ...run, state }));
  client.setQueryData<Day>(['day', event.environment], (day) =>
    day === undefined ? day : addToDay(day, { id: runId, pipeline: event.pipeline, state, at: Date.now() }),
  );
  client.setQueryData<Page<PipelineSummary>>(['pipelines', event.environment], (page) =>
    page === undefined
      ? page
      : {
          ...page,
          items: page.items.map((one) =>
            one.name === event.pipeline
              ? { ...one, lastRuns: one.lastRuns.map((bar) => (bar.id === runId ? { ...bar, state } : bar)) }
              : one,
          ),
        },
  );
  client.setQueriesData<GridData>({ queryKey: ['grid', event.environment, event.pipeline] }, (grid) =>
    grid === undefined ? grid : { ...grid, runs: grid.runs.map((run) => (run.id === runId ? { ...run, state } : run)) },
  );
}

function patchTasks(client: QueryClient, event: LiveEvent & { kind: 'tasks' }): void {
  client.setQueryData<RunDetail>(['run', event.runId], (run) => {
    if (run === undefined) return run;
    const changed = new Map(event.taskRuns.map((one) => [`${one.taskId} ${one.mapIndex}`, one.state]));
    return {
      ...run,
      taskRuns: run.taskRuns.map((one) => {
        const state = changed.get(`${one.taskId} ${one.mapIndex}`);
        return state === undefined ? one : { ...one, state };
      }),
    };
  });
  for (const one of event.taskRuns)
    client.setQueryData<TaskRunDetail>(['task', event.runId, one.taskId, one.mapIndex], (task) =>
      task === undefined ? task : { ...task, state: one.state },
    );
  client.setQueriesData<GridData>({ queryKey: ['grid', event.environment, event.pipeline] }, (grid) =>
    grid === undefined ? grid : (patchCells(grid, event.runId, event.taskRuns) ?? grid),
  );
}

function patchProgress(client: QueryClient, event: LiveEvent & { kind: 'progress' }): void {
  const progress = { done: event.done, total: event.total, label: event.label };
  client.setQueryData<RunDetail>(['run', event.runId], (run) =>
    run === undefined
      ? run
      : {
          ...run,
          taskRuns: run.taskRuns.map((one) =>
            one.taskId === event.taskId && one.mapIndex === event.mapIndex ? { ...one, progress } : one,
          ),
        },
  );
  client.setQueryData<TaskRunDetail>(['task', event.runId, event.taskId, event.mapIndex], (task) =>
    task === undefined ? task : { ...task, progress },
  );
}
