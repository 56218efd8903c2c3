import { loadRunCache, SluiceError, type CompiledPipeline, type CompiledTask, type EnvironmentConfig } from '#core';
import type { Interval } from '#dag';
import { coerceParams } from '../coerce-params.ts';

export interface RenderRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly interval: { readonly at: string } | { readonly from: string; readonly to: string } | null;
  /** Only this task; null: all. */
  readonly task: string | null;
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
  readonly writes: Readonly<Record<string, string>>;
  readonly unresolved: string | null;
}

export interface RenderedTask {
  readonly id: string;
  readonly upstream: readonly string[];
  readonly when: string;
  readonly if: string | null;
  readonly final: boolean;
  readonly pool: string;
  readonly retries: number;
  readonly timeoutMs: number | null;
  readonly reads: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  /** Task runs; one unless it is fanned out, at most `MOST_INSTANCES`. */
  readonly instances: readonly RenderedInstance[];
  /** How many there are; null: an expression decides when it runs. */
  readonly fanOut: number | null;
}

export interface Rendered {
  readonly pipeline: string;
  readonly file: string;
  readonly environment: string;
  readonly storage: string;
  readonly schedule: string;
  readonly interval: { readonly start: string; readonly end: string } | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly tasks: readonly RenderedTask[];
}

const MOST_INSTANCES = 20;
/** Stand for what only a real run has. */
const RUN_ID = 'RUN_ID';
const RELEASE = 'RELEASE';

/** Everything a run of this pipeline would be given, by the engine's own functions; nothing is run and nothing asked. */
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
  const run = {
    record: {
      id: RUN_ID,
      environment: environment.name,
      pipeline: pipeline.name,
      release: RELEASE,
      trigger: 'manual' as const,
      intervalStart: interval?.start.toISOString() ?? null,
      intervalEnd: interval?.end.toISOString() ?? null,
      params: params.params,
      originRun: null,
      state: 'running' as const,
      cancelRequested: false,
      createdAt: new Date(0).toISOString(),
      timeoutAt: null,
      leaseToken: '0',
    },
    plan,
    environment: { config: environment, hash: '' },
    cache: loadRunCache(RUN_ID, plan.graph, []),
    events: [],
    flushed: [],
    // Which versions are read is known only then, but not that they are: names of variables depend on it.
    prepared: new Map(pipeline.tasks.map((task, index) => [index, { inputs: inputNames(task), items: null }])),
    outputs: new Map(),
    failures: new Map(),
    waiting: new Map(),
    preparing: new Set<number>(),
  };
  const scope = engine.runScope(run.record, pipeline, run.environment);

  const instances = (task: CompiledTask, index: number): RenderedInstance[] => {
    const items = plan.literalItems[index] ?? [null];
    return items.slice(0, request.task === null ? MOST_INSTANCES : undefined).map((item, mapIndex) => {
      const identity = { attemptId: 'ATTEMPT_ID', taskIndex: index, mapIndex, number: 1, fence: 1 };
      const built = engine.buildAssignment(run, identity);
      const map = item === null ? null : { index: mapIndex, key: item.key, values: item.values };
      if (!built.ok)
        return { map, body: task.body, env: { ...pipeline.env, ...task.env }, writes: {}, unresolved: built.message };
      const { body, env, writes } = built.assignment;
      const locations = Object.fromEntries(writes.map(({ variable, location }) => [variable, location]));
      return { map, body, env, writes: locations, unresolved: null };
    });
  };
  const readLocation = (read: CompiledTask['reads'][number]): string => {
    if (read.pipeline !== null) return `${read.pipeline}.${read.path}${windowText(read.lastMs)}`;
    const found = engine.renderLocation(pipeline, read.path, scope, '');
    if (read.lastMs !== null) return `${pipeline.name}.${read.path}${windowText(read.lastMs)}`;
    return found.ok ? found.location : `(${found.message})`;
  };
  return {
    pipeline: pipeline.name,
    file: `dags/${pipeline.file}`,
    environment: environment.name,
    storage: environment.storage,
    schedule: dag.describeSchedule(pipeline.schedule),
    interval: interval && { start: interval.start.toISOString(), end: interval.end.toISOString() },
    params: params.params,
    tasks: chosenTasks(pipeline, request.task).map(({ task, index }) => ({
      id: task.id,
      upstream: task.upstream,
      when: task.when,
      if: task.condition,
      final: task.final,
      pool: task.pool,
      retries: task.retries.max,
      timeoutMs: task.timeoutMs,
      reads: Object.fromEntries(task.reads.map((read) => [`PATH_${read.alias.toUpperCase()}`, readLocation(read)])),
      secrets: task.secrets,
      fanOut: task.matrix?.kind === 'dynamic' ? null : (plan.literalItems[index]?.length ?? 1),
      instances: instances(task, index),
    })),
  };
}

function inputNames(task: CompiledTask): { name: string; variable: string; versions: [] }[] {
  return task.reads.map(({ alias }) => ({ name: alias, variable: `PATH_${alias.toUpperCase()}`, versions: [] }));
}

function windowText(lastMs: number | null): string {
  return lastMs === null ? '' : ` (the last ${lastMs / 86_400_000} days)`;
}

function chosenTasks(pipeline: CompiledPipeline, wanted: string | null): { task: CompiledTask; index: number }[] {
  const all = pipeline.tasks.map((task, index) => ({ task, index }));
  const chosen = all.filter(({ task }) => wanted === null || task.id === wanted);
  if (chosen.length === 0 && wanted !== null)
    throw new SluiceError('not_found', `Pipeline "${pipeline.name}" has no task "${wanted}".`, {
      hint: `It has: ${pipeline.tasks.map(({ id }) => id).join(', ')}.`,
    });
  return chosen;
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
