import { firstOf, SluiceError, type CompiledPipeline, type CompiledTask, type EnvironmentConfig } from '#core';
import type { Interval } from '#dag';
import type * as engineModule from '#engine';
import { coerceParams } from '../coerce-params.ts';
import { pretendRun, type PretendRun } from './pretend-run.ts';

export interface RenderRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly interval: { readonly at: string } | { readonly from: string; readonly to: string } | null;
  /** Only this task; null: all. */
  readonly task: string | null;
  readonly release: string;
}

/** What one attempt would be given. `unresolved` says what is known only when it runs; then the text is as written. */
export interface RenderedInstance {
  readonly map: {
    readonly index: number;
    readonly key: string;
    readonly values: Readonly<Record<string, unknown>>;
  } | null;
  readonly body: unknown;
  readonly env: Readonly<Record<string, string>>;
  /** Location by variable, relative to the storage. */
  readonly writes: Readonly<Record<string, string>>;
  readonly unresolved: string | null;
}

export interface RenderedTask {
  readonly id: string;
  /** Where it was written, nearest first: `dags/_all.yaml:3`. */
  readonly writtenIn: readonly string[];
  readonly upstream: readonly string[];
  readonly when: string;
  readonly if: string | null;
  readonly final: boolean;
  readonly pool: string;
  readonly retries: number;
  readonly timeoutMs: number | null;
  readonly reads: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  /** How many task runs there are; null: an expression decides when it runs. */
  readonly fanOut: number | null;
  /** The task runs, at most 20 of them unless the task was asked for by name. */
  readonly instances: readonly RenderedInstance[];
}

export interface Rendered {
  readonly pipeline: string;
  readonly file: string;
  readonly environment: string;
  readonly storage: string;
  readonly release: string;
  readonly schedule: string;
  readonly interval: { readonly start: string; readonly end: string } | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly tasks: readonly RenderedTask[];
}

const MOST_INSTANCES = 20;

type Engine = typeof engineModule;

/** Everything a run of this pipeline would be given, by the engine's own functions; nothing is run and nobody asked. */
export async function renderPipeline(
  original: CompiledPipeline,
  environment: EnvironmentConfig,
  request: RenderRequest,
): Promise<Rendered> {
  const [dag, engine] = await Promise.all([import('#dag'), import('#engine')]);
  const pipeline = dag.withOverlay(original, environment.name);
  const params = dag.resolveParams(pipeline, environment, coerceParams(request.params, pipeline.params));
  if (!params.ok)
    throw new SluiceError(
      'bad_request',
      `The parameters of "${pipeline.name}" are not valid: ${params.problems.join('; ')}`,
    );
  const interval = intervalOf(pipeline, request.interval, dag.intervalAt);
  const plan = engine.planRun(pipeline, environment.pools);
  const run = pretendRun(pipeline, environment, { params: params.params, interval, release: request.release, plan });
  const most = request.task === null ? MOST_INSTANCES : Infinity;
  return {
    pipeline: pipeline.name,
    file: `dags/${pipeline.file}`,
    environment: environment.name,
    storage: environment.storage,
    release: request.release,
    schedule: dag.describeSchedule(pipeline.schedule),
    interval: interval && { start: interval.start.toISOString(), end: interval.end.toISOString() },
    params: params.params,
    tasks: chosenTasks(pipeline, request.task).map((index) => renderTask(engine, run, index, most)),
  };
}

function renderTask(engine: Engine, run: PretendRun, index: number, most: number): RenderedTask {
  const { pipeline } = run.plan;
  const task = pipeline.tasks[index] as CompiledTask;
  const scope = engine.runScope(run.record, pipeline, run.environment);
  const location = ({ path, pipeline: owner, lastMs }: CompiledTask['reads'][number]): string => {
    if (lastMs !== null) return `${owner ?? pipeline.name}.${path}, the last ${lastMs / 86_400_000} days`;
    if (owner !== null) return `${owner}.${path}`;
    const found = engine.renderLocation(pipeline, path, scope, '');
    return found.ok ? found.location : `(${found.message})`;
  };
  const mapIndexes = mapIndexesOf(run.plan, index);
  return {
    id: task.id,
    writtenIn: (task.origin ?? [`${pipeline.file}:${task.line}`]).map((place) => `dags/${place}`),
    upstream: task.upstream,
    when: task.when,
    if: task.condition,
    final: task.final,
    pool: task.pool,
    retries: task.retries.max,
    timeoutMs: task.timeoutMs,
    reads: Object.fromEntries(task.reads.map((read) => [`PATH_${read.alias.toUpperCase()}`, location(read)])),
    secrets: task.secrets,
    fanOut: [task.matrix, task.inner?.matrix].some((matrix) => matrix?.kind === 'dynamic') ? null : mapIndexes.length,
    instances: mapIndexes.slice(0, most).map((mapIndex) => renderInstance(engine, run, index, mapIndex)),
  };
}

function renderInstance(engine: Engine, run: PretendRun, taskIndex: number, mapIndex: number): RenderedInstance {
  const { pipeline } = run.plan;
  const task = pipeline.tasks[taskIndex] as CompiledTask;
  const item = engine.mapItem(run, taskIndex, mapIndex);
  const map = item === null ? null : { index: mapIndex, key: item.key, values: item.values };
  const identity = { attemptId: 'ATTEMPT_ID', taskIndex, mapIndex, number: 1, fence: 1, replicas: null };
  const built = engine.buildAssignment(run, identity);
  if (!built.ok)
    return { map, body: task.body, env: { ...pipeline.env, ...task.env }, writes: {}, unresolved: built.message };
  const { body, env, writes } = built.assignment;
  const locations = Object.fromEntries(writes.map(({ variable, location }) => [variable, location]));
  return { map, body, env, writes: locations, unresolved: null };
}

/** Its task runs, as far as the lists are written out. */
function mapIndexesOf({ pipeline, literalItems, literalInner }: PretendRun['plan'], index: number): number[] {
  const task = pipeline.tasks[index] as CompiledTask;
  const items = [...(literalItems[index] ?? [null]).keys()];
  if (task.inner === undefined) return items;
  const inner = [...(literalInner[index] ?? [null]).keys()];
  return items.flatMap((item) => inner.map((place) => firstOf(task, item) + place));
}

/** Indexes into the pipeline's tasks. */
function chosenTasks({ name, tasks }: CompiledPipeline, wanted: string | null): number[] {
  if (wanted === null) return [...tasks.keys()];
  const index = tasks.findIndex(({ id }) => id === wanted);
  if (index === -1)
    throw new SluiceError('not_found', `Pipeline "${name}" has no task "${wanted}".`, {
      hint: `It has: ${tasks.map(({ id }) => id).join(', ')}.`,
    });
  return [index];
}

function intervalOf(
  pipeline: CompiledPipeline,
  wanted: RenderRequest['interval'],
  intervalAt: (schedule: CompiledPipeline['schedule'], activatedAt: Date, at: Date) => Interval | null,
): Interval | null {
  if (wanted === null) return null;
  if ('from' in wanted) return { start: new Date(wanted.from), end: new Date(wanted.to) };
  const at = new Date(wanted.at);
  const interval = pipeline.schedule.kind === 'manual' ? null : intervalAt(pipeline.schedule, at, at);
  if (interval === null)
    throw new SluiceError('bad_request', `Pipeline "${pipeline.name}" has no interval that contains ${wanted.at}.`, {
      hint: 'Give both ends with --from and --to.',
    });
  return interval;
}
