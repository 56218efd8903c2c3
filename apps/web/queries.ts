import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import type {
  AlertDelivery,
  ArchivedRunDetail,
  CheckSeries,
  Environment,
  Grid,
  MetricSeries,
  NotebookShape,
  PipelineDetail,
  PipelineSummary,
  Run,
  RunDetail,
  SchedulePreview,
  SystemStatus,
  TaskRunDetail,
  VerificationShape,
  WhoAmI,
} from '#contracts';
import type { Page, WaitingReason } from '#contracts/client';
import { get, part } from './api.ts';
import { decodeGrid } from './grid/decode-grid.ts';
import { orderTaskRuns } from './parts/order-task-runs.ts';
import { ENDED_STATES, readDay } from './today/day-runs.ts';

/** One place for every read: the key is what live events patch or make stale (live-patch.ts). */
export const environmentsQuery = queryOptions({
  queryKey: ['environments'],
  queryFn: ({ signal }) => get<Page<Environment>>('/environments', {}, signal),
});

export const pipelinesQuery = (env: string) =>
  queryOptions({
    queryKey: ['pipelines', env],
    queryFn: ({ signal }) => get<Page<PipelineSummary>>('/pipelines', { env }, signal),
  });

export const pipelineQuery = (env: string, pipeline: string) =>
  queryOptions({
    queryKey: ['pipeline', env, pipeline],
    queryFn: ({ signal }) => get<PipelineDetail>(`/pipelines/${part(pipeline)}`, { env }, signal),
  });

export const scheduleQuery = (env: string, pipeline: string) =>
  queryOptions({
    queryKey: ['schedule', env, pipeline],
    queryFn: ({ signal }) => get<SchedulePreview>(`/pipelines/${part(pipeline)}/schedule`, { env }, signal),
    // Fires pass: what was next at the last look is not for ever.
    staleTime: 0,
  });

/** `before`: the id of a run; the ones created before it. */
export const gridQuery = (env: string, pipeline: string, runs: number, before?: string) =>
  queryOptions({
    queryKey: ['grid', env, pipeline, runs, before ?? null],
    queryFn: async ({ signal }) =>
      decodeGrid(await get<Grid>(`/pipelines/${part(pipeline)}/grid`, { env, runs, before }, signal)),
    // The cells are bytes; comparing them one by one to keep identity would cost more than drawing them.
    structuralSharing: false,
    placeholderData: keepPreviousData,
  });

export const checksQuery = (env: string, pipeline: string) =>
  queryOptions({
    queryKey: ['checks', env, pipeline],
    queryFn: ({ signal }) => get<Page<CheckSeries>>(`/pipelines/${part(pipeline)}/checks`, { env, limit: 200 }, signal),
  });

export const metricsQuery = (env: string, pipeline: string, limit: number) =>
  queryOptions({
    queryKey: ['metrics', env, pipeline, limit],
    queryFn: ({ signal }) => get<Page<MetricSeries>>(`/pipelines/${part(pipeline)}/metrics`, { env, limit }, signal),
  });

export interface RunsFilter {
  readonly pipeline?: string | undefined;
  /** States joined by commas. */
  readonly state?: string | undefined;
}

export const runsQuery = (env: string, filter: RunsFilter, limit = 100) =>
  infiniteQueryOptions({
    queryKey: ['runs', env, filter, limit],
    queryFn: ({ signal, pageParam }) =>
      get<Page<Run>>('/runs', { env, ...filter, limit, cursor: pageParam ?? undefined }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });

/** Ended runs of the last 24 hours. Live events add to it; it is read again only after a gap. */
export const dayQuery = (env: string) =>
  queryOptions({
    queryKey: ['day', env],
    queryFn: ({ signal }) =>
      readDay((cursor) =>
        get<Page<Run>>('/runs', { env, state: ENDED_STATES, limit: 200, cursor: cursor ?? undefined }, signal),
      ),
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ['run', id],
    queryFn: async ({ signal }) => {
      const run = await get<RunDetail>(`/runs/${part(id)}`, {}, signal);
      return { ...run, taskRuns: orderTaskRuns(run.tasks, run.taskRuns) };
    },
  });

/** What the archive holds of a run past its retention; nothing more comes to it. */
export const archivedRunQuery = (id: string) =>
  queryOptions({
    queryKey: ['archived-run', id],
    queryFn: ({ signal }) => get<ArchivedRunDetail>(`/history/runs/${part(id)}`, {}, signal),
    staleTime: Infinity,
    retry: false,
  });

/** The newest verification of a run; null: it was never verified. */
export const verificationQuery = (run: string) =>
  queryOptions({
    queryKey: ['verification', run],
    queryFn: ({ signal }) =>
      get<{ readonly verification: VerificationShape | null }>(`/runs/${part(run)}/verification`, {}, signal),
  });

export const whyQuery = (id: string) =>
  queryOptions({
    queryKey: ['why', id],
    queryFn: ({ signal }) => get<Page<WaitingReason>>(`/runs/${part(id)}/why`, {}, signal),
  });

export const taskQuery = (run: string, task: string, map: number) =>
  queryOptions({
    queryKey: ['task', run, task, map],
    queryFn: ({ signal }) => get<TaskRunDetail>(`/runs/${part(run)}/tasks/${part(task)}`, { map }, signal),
    placeholderData: keepPreviousData,
  });

export const notebookQuery = ({ run, task, map, number }: { run: string; task: string; map: number; number: number }) =>
  queryOptions({
    queryKey: ['notebook', run, task, map, number],
    queryFn: ({ signal }) => get<NotebookShape>(notebookPath(run, task), { map, try: number }, signal),
    // A finished attempt's never changes.
    staleTime: Infinity,
  });

export const notebookPath = (run: string, task: string): string => `/runs/${part(run)}/tasks/${part(task)}/notebook`;

export const alertsQuery = (env: string) =>
  infiniteQueryOptions({
    queryKey: ['alerts', env],
    queryFn: ({ signal, pageParam }) =>
      get<Page<AlertDelivery>>('/alerts', { env, limit: 100, cursor: pageParam ?? undefined }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });

/** Name, groups and rights of who looks at the page. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => get<WhoAmI>('/whoami', {}, signal),
  staleTime: Infinity,
});

export const systemQuery = queryOptions({
  queryKey: ['system'],
  queryFn: ({ signal }) => get<SystemStatus>('/system', {}, signal),
  // Gauges nobody sends events for; read again when somebody looks.
  staleTime: 0,
});
