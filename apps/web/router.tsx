import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';
import { Shell } from './parts/shell.tsx';
import { NotFound, PageCrash } from './parts/page-crash.tsx';

type Raw = Record<string, unknown>;

/** A search value as text; anything else (a list, an object somebody typed) counts as absent. */
function text(raw: Raw, key: string): string | undefined {
  const value = raw[key];
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function whole(raw: Raw, key: string): number | undefined {
  const value = Number(raw[key]);
  return raw[key] !== undefined && Number.isInteger(value) && value >= 0 ? value : undefined;
}

const rootRoute = createRootRoute({
  validateSearch: (raw: Raw): { env?: string | undefined } => ({ env: text(raw, 'env') }),
  search: { middlewares: [retainSearchParams(['env'])] },
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: PageCrash,
});

const todayRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/today.tsx'), 'TodayPage'),
});

const pipelinesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/pipelines',
  validateSearch: (raw: Raw): { q?: string | undefined; show?: string | undefined; tag?: string | undefined } => ({
    q: text(raw, 'q'),
    show: text(raw, 'show'),
    tag: text(raw, 'tag'),
  }),
  component: lazyRouteComponent(() => import('./pages/pipelines.tsx'), 'PipelinesPage'),
});

const pipelineRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/pipelines/$pipeline',
  component: lazyRouteComponent(() => import('./pages/pipeline.tsx'), 'PipelinePage'),
});

const pipelineIndexRoute = createRoute({
  getParentRoute: () => pipelineRoute,
  path: '/',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/pipelines/$pipeline/grid', params, replace: true });
  },
});

const gridRoute = createRoute({
  getParentRoute: () => pipelineRoute,
  path: '/grid',
  validateSearch: (raw: Raw): { runs?: number | undefined; before?: string | undefined; sel?: string | undefined } => ({
    runs: whole(raw, 'runs'),
    before: text(raw, 'before'),
    sel: text(raw, 'sel'),
  }),
  component: lazyRouteComponent(() => import('./grid/grid-tab.tsx'), 'GridTab'),
});

const graphRoute = createRoute({
  getParentRoute: () => pipelineRoute,
  path: '/graph',
  component: lazyRouteComponent(() => import('./graph/pipeline-graph-tab.tsx'), 'PipelineGraphTab'),
});

const checksRoute = createRoute({
  getParentRoute: () => pipelineRoute,
  path: '/checks',
  component: lazyRouteComponent(() => import('./checks/checks-tab.tsx'), 'ChecksTab'),
});

const metricsRoute = createRoute({
  getParentRoute: () => pipelineRoute,
  path: '/metrics',
  validateSearch: (raw: Raw): { limit?: number | undefined; task?: string | undefined } => ({
    limit: whole(raw, 'limit'),
    task: text(raw, 'task'),
  }),
  component: lazyRouteComponent(() => import('./metrics/metrics-tab.tsx'), 'MetricsTab'),
});

const backfillsRoute = createRoute({
  getParentRoute: () => pipelineRoute,
  path: '/backfills',
  validateSearch: (raw: Raw): { sel?: string | undefined } => ({ sel: text(raw, 'sel') }),
  component: lazyRouteComponent(() => import('./backfill/backfills-tab.tsx'), 'BackfillsTab'),
});

const scheduleRoute = createRoute({
  getParentRoute: () => pipelineRoute,
  path: '/schedule',
  component: lazyRouteComponent(() => import('./pages/schedule-tab.tsx'), 'ScheduleTab'),
});

const sourceRoute = createRoute({
  getParentRoute: () => pipelineRoute,
  path: '/source',
  component: lazyRouteComponent(() => import('./source/source-tab.tsx'), 'SourceTab'),
});

const runsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/runs',
  validateSearch: (raw: Raw): { pipeline?: string | undefined; state?: string | undefined } => ({
    pipeline: text(raw, 'pipeline'),
    state: text(raw, 'state'),
  }),
  component: lazyRouteComponent(() => import('./pages/runs.tsx'), 'RunsPage'),
});

export const RUN_TABS = ['timeline', 'graph', 'tasks', 'why', 'config'] as const;
export type RunTab = (typeof RUN_TABS)[number];

const runRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/runs/$run',
  validateSearch: (raw: Raw): { tab?: RunTab | undefined } => ({ tab: RUN_TABS.find((tab) => tab === raw['tab']) }),
  component: lazyRouteComponent(() => import('./pages/run.tsx'), 'RunPage'),
});

export const TASK_TABS = ['log', 'notebook', 'attempts', 'command', 'data', 'metrics', 'summary', 'fan-out'] as const;
export type TaskTab = (typeof TASK_TABS)[number];

const taskRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/runs/$run/tasks/$task',
  validateSearch: (
    raw: Raw,
  ): { try?: number | undefined; map?: number | undefined; tab?: TaskTab | undefined; q?: string | undefined } => ({
    try: whole(raw, 'try'),
    map: whole(raw, 'map'),
    tab: TASK_TABS.find((tab) => tab === raw['tab']),
    q: text(raw, 'q'),
  }),
  component: lazyRouteComponent(() => import('./pages/task.tsx'), 'TaskPage'),
});

export const ENVIRONMENTS_TABS = ['board', 'promotions', 'config'] as const;
export type EnvironmentsTab = (typeof ENVIRONMENTS_TABS)[number];
const PROMOTION_KINDS = ['promote', 'hotfix', 'rollback'] as const;

const environmentsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/environments',
  validateSearch: (
    raw: Raw,
  ): {
    tab?: EnvironmentsTab | undefined;
    /** The plan that is looked at: of this release, to this environment. */
    plan?: string | undefined;
    to?: string | undefined;
    kind?: (typeof PROMOTION_KINDS)[number] | undefined;
    /** Filters of the list of promotions. */
    in?: string | undefined;
    state?: string | undefined;
  } => ({
    tab: ENVIRONMENTS_TABS.find((tab) => tab === raw['tab']),
    plan: text(raw, 'plan'),
    to: text(raw, 'to'),
    kind: PROMOTION_KINDS.find((kind) => kind === raw['kind']),
    in: text(raw, 'in'),
    state: text(raw, 'state'),
  }),
  component: lazyRouteComponent(() => import('./pages/environments.tsx'), 'EnvironmentsPage'),
});

const promotionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/promotions/$promotion',
  component: lazyRouteComponent(() => import('./pages/promotion.tsx'), 'PromotionPage'),
});

const releasesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/releases',
  validateSearch: (raw: Raw): { all?: '1' | undefined } => ({ all: text(raw, 'all') === '1' ? '1' : undefined }),
  component: lazyRouteComponent(() => import('./pages/releases.tsx'), 'ReleasesPage'),
});

export const RELEASE_TABS = ['overview', 'changes', 'files'] as const;
export type ReleaseTab = (typeof RELEASE_TABS)[number];

const releaseRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/releases/$release',
  validateSearch: (raw: Raw): { tab?: ReleaseTab | undefined; from?: string | undefined } => ({
    tab: RELEASE_TABS.find((tab) => tab === raw['tab']),
    from: text(raw, 'from'),
  }),
  component: lazyRouteComponent(() => import('./pages/release.tsx'), 'ReleasePage'),
});

const auditRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/audit',
  validateSearch: (raw: Raw): { in?: string | undefined } => ({ in: text(raw, 'in') }),
  component: lazyRouteComponent(() => import('./pages/audit.tsx'), 'AuditPage'),
});

const alertsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/alerts',
  component: lazyRouteComponent(() => import('./pages/alerts.tsx'), 'AlertsPage'),
});

const systemRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/system',
  component: lazyRouteComponent(() => import('./pages/system.tsx'), 'SystemPage'),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    todayRoute,
    pipelinesRoute,
    pipelineRoute.addChildren([
      pipelineIndexRoute,
      gridRoute,
      graphRoute,
      metricsRoute,
      scheduleRoute,
      checksRoute,
      backfillsRoute,
      sourceRoute,
    ]),
    runsRoute,
    runRoute,
    taskRoute,
    environmentsRoute,
    promotionRoute,
    releasesRoute,
    releaseRoute,
    alertsRoute,
    auditRoute,
    systemRoute,
  ]),
  defaultPreload: 'intent',
  scrollRestoration: true,
  scrollToTopSelectors: ['#main'],
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
