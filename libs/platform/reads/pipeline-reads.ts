import type { CompiledPipeline, Schedule } from '#core';
import type { PipelineDetail, PipelineSummary } from '#contracts';
import {
  creationOf,
  describeSchedule,
  dueIntervals,
  intervalsBetween,
  nextIntervals,
  withOverlay,
  type Interval,
} from '#dag';
import { apiQueries } from '#store';
import { currentPipeline, currentRelease, type CurrentRelease } from './environment-reads.ts';
import { graphTasksOf, layoutOf } from './pipeline-graph.ts';
import type { CatalogPipeline, ReadContext } from './read-context.ts';

type Bars = ReadonlyMap<string, PipelineSummary['lastRuns']>;
type Schedules = ReadonlyMap<string, Awaited<ReturnType<typeof apiQueries.readSchedules>>[number]>;

/** A catch-up over more intervals shows no progress: walking a cron costs 60 µs an interval, at every look. */
const MOST_INTERVALS = 1000;

export async function readPipelines(context: ReadContext, environment: string): Promise<PipelineSummary[]> {
  const current = await currentRelease(context, environment);
  return current === null ? [] : summaries(context, current, current.pipelines);
}

export async function readPipelineSummary(
  context: ReadContext,
  environment: string,
  name: string,
): Promise<PipelineSummary> {
  const { current, entry } = await currentPipeline(context, environment, name);
  const [summary] = await summaries(context, current, [entry]);
  return summary as PipelineSummary;
}

export async function readPipeline(context: ReadContext, environment: string, name: string): Promise<PipelineDetail> {
  const { current, entry } = await currentPipeline(context, environment, name);
  const [summary] = await summaries(context, current, [entry]);
  const { file, source } = entry;
  const common = { ...(summary as PipelineSummary), file, source };
  const pipeline = entry.pipeline && withOverlay(entry.pipeline, environment);
  if (!pipeline) {
    const layout = { width: 0, height: 0, nodes: [], groups: [], edges: [] };
    return { ...common, params: {}, tasks: [], layout, maxActiveRuns: 0, catchup: 'off', nextFires: [] };
  }
  const schedules = await schedulesByPipeline(context, environment);
  const fires = common.paused ? [] : nextFires(context, pipeline.schedule, schedules.get(name)?.activatedAt, 5);
  return {
    ...common,
    params: Object.fromEntries(Object.entries(pipeline.params).map(([key, schema]) => [key, { ...schema }])),
    tasks: graphTasksOf(pipeline),
    layout: await layoutOf(context.layouts, pipeline),
    maxActiveRuns: pipeline.maxActiveRuns,
    catchup: describeCatchup(pipeline.schedule),
    nextFires: fires.map(({ start, end }) => ({
      at: creationOf(pipeline.schedule, { start, end }).toISOString(),
      intervalStart: start.toISOString(),
      intervalEnd: end.toISOString(),
    })),
  };
}

async function summaries(
  context: ReadContext,
  current: CurrentRelease,
  entries: readonly CatalogPipeline[],
): Promise<PipelineSummary[]> {
  const { environment } = current;
  const [schedules, bars] = await Promise.all([
    schedulesByPipeline(context, environment),
    barsByPipeline(
      context,
      environment,
      entries.map((entry) => entry.name),
    ),
  ]);
  return Promise.all(entries.map((entry) => summarize(context, current, entry, schedules, bars)));
}

async function summarize(
  context: ReadContext,
  { environment, schedulesActive, release }: CurrentRelease,
  entry: CatalogPipeline,
  schedules: Schedules,
  bars: Bars,
): Promise<PipelineSummary> {
  const pipeline = entry.pipeline && withOverlay(entry.pipeline, environment);
  const row = schedules.get(entry.name);
  const paused = !schedulesActive || (row?.paused ?? pipeline?.environments[environment]?.paused ?? false);
  const [next] = pipeline && !paused ? nextFires(context, pipeline.schedule, row?.activatedAt, 1) : [];
  return {
    name: entry.name,
    description: pipeline?.description ?? '',
    owner: pipeline?.owner ?? '',
    tags: [...(pipeline?.tags ?? [])],
    schedule: pipeline ? describeSchedule(pipeline.schedule) : 'none: the file is broken',
    paused,
    ...(row?.pausedReason == null ? {} : { pausedReason: row.pausedReason }),
    nextFireAt: pipeline && next ? creationOf(pipeline.schedule, next).toISOString() : null,
    lastRuns: bars.get(entry.name) ?? [],
    release,
    problems: [...entry.problems],
    activeRuns: row?.active ?? 0,
    catchUp: pipeline && row && !paused ? await readCatchUp(context, environment, pipeline, row) : null,
  };
}

function nextFires(
  context: ReadContext,
  schedule: Schedule,
  activatedAt: string | undefined,
  limit: number,
): Interval[] {
  const now = context.now();
  return schedule.kind === 'manual'
    ? []
    : nextIntervals(schedule, activatedAt === undefined ? now : new Date(activatedAt), now, limit);
}

/** How far a pipeline with past intervals to make up for has come; null: it is not behind. */
async function readCatchUp(
  context: ReadContext,
  environment: string,
  pipeline: CompiledPipeline,
  row: { activatedAt: string; lastEnd: string | null; active: number },
): Promise<PipelineSummary['catchUp']> {
  const { schedule } = pipeline;
  if (schedule.kind === 'manual' || schedule.catchup.kind === 'none') return null;
  const now = context.now();
  const activatedAt = new Date(row.activatedAt);
  const lastEnd = row.lastEnd === null ? null : new Date(row.lastEnd);
  const unfired = dueIntervals({ schedule, activatedAt, lastEnd, now, limit: 1 }).length > 0;
  // One run under way is the ordinary state of things, not a catch-up.
  if (!unfired && row.active <= 1) return null;
  const from = schedule.start === null ? activatedAt : new Date(0);
  const due = intervalsBetween(schedule, activatedAt, from, now, MOST_INTERVALS).filter(
    (interval) => creationOf(schedule, interval) <= now,
  ).length;
  if (due >= MOST_INTERVALS - 1) return null;
  const done = await apiQueries.countHandledIntervals(context.db, environment, pipeline.name);
  return { done: Math.min(done, due), total: due };
}

async function schedulesByPipeline(context: ReadContext, environment: string): Promise<Schedules> {
  const rows = await apiQueries.readSchedules(context.db, environment);
  return new Map(rows.map((row) => [row.pipeline, row]));
}

async function barsByPipeline(context: ReadContext, environment: string, names: readonly string[]): Promise<Bars> {
  const rows = await apiQueries.readLastRuns(context.db, environment, names);
  const bars = new Map<string, PipelineSummary['lastRuns']>();
  for (const { pipeline, ...bar } of rows) {
    const list = bars.get(pipeline) ?? [];
    list.unshift(bar);
    bars.set(pipeline, list);
  }
  return bars;
}

function describeCatchup(schedule: Schedule): string {
  if (schedule.kind === 'manual') return 'off';
  const { catchup } = schedule;
  switch (catchup.kind) {
    case 'none':
      return 'off: only the latest interval';
    case 'all':
      return `everything since the start, ${catchup.order.replaceAll('_', ' ')}`;
    case 'bounded':
      return `at most ${Math.round(catchup.maxAgeMs / 3_600_000)} hours back, ${catchup.order.replaceAll('_', ' ')}`;
  }
}
