import type { DataSource } from 'typeorm';
import type { AttemptResult, CompiledPipeline, EngineStore, EvidenceKey, Outcome, Resources, Storage } from '#core';
import { compilePipelines, parseEnvironment } from '#dag';
import type { AppliedEnvironment, HttpLook, ObservedEvent, Observer } from '#engine';
import { Backfills, Commands, Scheduler } from '#engine';
import { connectDatabase, createStore } from '#store';
import { FakeClock } from './fake-clock.ts';
import type { Said } from './scripted-executor.ts';
import { ScriptedExecutor } from './scripted-executor.ts';
import { createTestDatabase } from './test-database.ts';

export interface WorldOptions {
  /** Where time stands at first; default: now, as the database has it. */
  readonly at?: string;
  /** More lines of environments/dev.yaml. */
  readonly environment?: string;
  /** What attempts of each process may take together; default no limit. */
  readonly machine?: Resources;
  /** Hears what is reported, besides the world itself. */
  readonly observer?: Observer;
}

/** One process that fires, claims and executes. */
export interface Process {
  readonly scheduler: Scheduler;
  readonly executor: ScriptedExecutor;
  readonly store: EngineStore;
  /** It stops at once and says nothing more; its lease ends. */
  kill(): Promise<void>;
}

/** The engine on a real database of its own, with time and the outcome of every attempt in the hands of the test. */
export class World {
  readonly problems: string[] = [];
  readonly events: { name: ObservedEvent; fields: Readonly<Record<string, unknown>> }[] = [];
  /** Locations that are there, for tasks that wait for one. */
  readonly there = new Set<string>();
  /** What addresses answer. */
  httpLook: HttpLook = () => Promise.reject(new Error('nobody answers'));
  readonly evidence = new Map<string, AttemptResult>();
  /** Files of releases beside their pipelines: digests by path. */
  readonly files = new Map<string, ReadonlyMap<string, string>>();
  /** Versions whose files are not in the storage any more. */
  readonly lost = new Set<string>();
  readonly commands: Commands;
  readonly backfills: Backfills;
  private readonly releases = new Map<string, readonly CompiledPipeline[]>();
  private readonly processes: Process[] = [];
  private readonly connections: DataSource[] = [];
  private started = 0;
  private readonly pipelines = {
    get: (release: string, name: string) =>
      Promise.resolve(this.releases.get(release)?.find((pipeline) => pipeline.name === name) ?? null),
    all: (release: string) => Promise.resolve(this.releases.get(release) ?? []),
  };
  private readonly environments = {
    get: (name: string) => (name === 'dev' ? this.environment : null),
    all: () => [this.environment],
  };

  private constructor(
    readonly db: DataSource,
    readonly store: EngineStore,
    readonly clock: FakeClock,
    readonly environment: AppliedEnvironment,
    private readonly url: string,
    private readonly dropDatabase: () => Promise<void>,
    private readonly observer: Observer | undefined,
    private readonly machine: Resources | undefined,
  ) {
    const { pipelines, environments } = this;
    const now = () => clock.now();
    const onChange = (): void => undefined;
    this.commands = new Commands({ store, pipelines, environments, now, onChange });
    this.backfills = new Backfills({ store, pipelines, environments, now, onChange });
  }

  static async open({ at, environment = '', observer, machine }: WorldOptions = {}): Promise<World> {
    const database = await createTestDatabase();
    const db = await connectDatabase(database.url, { connections: 4 });
    const text = `name: dev\nstorage: file:///nowhere\nschedules: active\n${environment}`;
    const { environment: config, problems } = parseEnvironment('environments/dev.yaml', text, '/');
    if (!config) throw new Error(problems.map((problem) => problem.message).join('\n'));
    const store = createStore(db);
    await store.applyEnvironment('dev', 'e1', config, 'test', config.pools);
    const clock = new FakeClock(at ?? Date.now());
    const world = new World(
      db,
      store,
      clock,
      { config, hash: 'e1' },
      database.url,
      () => database.drop(),
      observer,
      machine,
    );
    world.add(store);
    return world;
  }

  /** What use cases beside the scheduler are given, as far as this world has it. */
  get parts() {
    const { store, pipelines, environments, clock } = this;
    const problem = (what: string, error: unknown): void =>
      void this.problems.push(`${what}: ${(error as Error).message}`);
    const alertDefaults = { publicUrl: 'http://sluice', decidesInSlack: true, unavailable: () => null };
    const wake = (): void => undefined;
    return { store, pipelines, environments, clock, alertDefaults, observer: { event: wake, problem }, wake };
  }

  /** Starts one more process on connections of its own. */
  async process(): Promise<Process> {
    const db = await connectDatabase(this.url, { connections: 4 });
    this.connections.push(db);
    return this.add(createStore(db));
  }

  private add(store: EngineStore): Process {
    const name = `process-${++this.started}`;
    const clock = this.clock.view();
    const executor = new ScriptedExecutor(() => clock.now().getTime(), this.machine);
    const storage = {
      readEvidence: (key: EvidenceKey) => Promise.resolve(this.evidence.get(JSON.stringify(key)) ?? null),
      project: () => Promise.resolve(),
      isWhole: (version: string) => Promise.resolve(!this.lost.has(version)),
      exists: (location: string) => Promise.resolve(this.there.has(location)),
    } as Partial<Storage> as Storage;
    const scheduler = new Scheduler({
      processId: name,
      host: name,
      pid: 1,
      store,
      executor,
      storageFor: () => storage,
      releaseFiles: (release) => Promise.resolve(this.files.get(release) ?? new Map()),
      pipelines: this.pipelines,
      environments: this.environments,
      httpLook: (request) => this.httpLook(request),
      clock,
      observer: {
        event: (name, fields) => {
          this.events.push({ name, fields });
          this.observer?.event(name, fields);
        },
        problem: (what, error, fields) => {
          this.problems.push(`${what}: ${(error as Error).message}`);
          this.observer?.problem(what, error, fields);
        },
      },
      alertDefaults: { publicUrl: 'http://sluice', decidesInSlack: true, unavailable: () => null },
      onProgress: () => undefined,
      leaseMs: 60_000,
      firesSchedules: true,
    });
    const kill = async (): Promise<void> => {
      clock.kill();
      executor.isCutOff = true;
      await scheduler.idle();
      await store.retireHost(name);
    };
    const process = { scheduler, executor, store, kill };
    this.processes.push(process);
    return process;
  }

  /** Kills the first process and starts another in its place. */
  async restart(): Promise<Process> {
    await this.processes.shift()!.kill();
    const next = await this.process();
    this.processes.unshift(this.processes.pop()!);
    await this.tick();
    await this.wait(0);
    return next;
  }

  /** Of the first process. */
  get executor(): ScriptedExecutor {
    return this.processes[0]!.executor;
  }

  get scheduler(): Scheduler {
    return this.processes[0]!.scheduler;
  }

  /** Makes these pipeline files the current release of dev. */
  async release(...texts: string[]): Promise<this> {
    const { pipelines, problems } = compilePipelines(texts.map((text, index) => ({ file: `p${index}.yaml`, text })));
    for (const problem of [...problems.values()].flat()) throw new Error(`${problem.file}: ${problem.message}`);
    const seq = this.releases.size;
    const digest = `r${seq + 1}`;
    this.releases.set(digest, pipelines);
    const about = { digest, alias: digest, commit: null, branch: null, author: null, message: null, dirty: true };
    await this.store.pointAt('dev', about, seq, 'test');
    return this;
  }

  /** Nothing more follows by itself. */
  async settle(): Promise<void> {
    for (const { scheduler } of this.processes) await scheduler.idle();
  }

  /** Time goes on to `at`, then everything that is due is looked at. */
  async tick(at: string | number = this.clock.now().getTime()): Promise<void> {
    await this.clock.moveTo(new Date(at).getTime(), () => this.settle());
    for (const { scheduler } of this.processes) await scheduler.tick();
    await this.settle();
  }

  /** Time goes on; only timers ring. */
  async wait(ms: number): Promise<void> {
    await this.clock.moveTo(this.clock.now().getTime() + ms, () => this.settle());
  }

  /** Starts a run by hand; answers its id. */
  async run(pipeline: string, more: Partial<Parameters<Commands['trigger']>[0]> = {}): Promise<string> {
    const id = await this.commands.trigger({ pipeline, environment: 'dev', params: {}, actor: 'ann', ...more });
    await this.tick();
    return id;
  }

  async end(name: string, outcome?: Outcome, said?: Said): Promise<void> {
    this.executor.end(name, outcome, said);
    await this.settle();
  }

  /** Ends attempts well until none is left. */
  async endAll(): Promise<void> {
    for (let name = this.executor.names()[0]; name !== undefined; name = this.executor.names()[0]) await this.end(name);
  }

  /** The same in every process. */
  async endEverywhere(): Promise<void> {
    for (const { executor } of this.processes)
      for (let name = executor.names()[0]; name !== undefined; name = executor.names()[0]) {
        executor.end(name);
        await this.settle();
      }
  }

  /** `interval state`, in the order of creation. */
  async runs(pipeline: string): Promise<string[]> {
    const rows = await this.db.query<{ line: string }[]>(
      `select coalesce(to_char(interval_start at time zone 'UTC', 'MM-DD"T"HH24:MI'), trigger) || ' ' || state as line
       from run where pipeline = $1 order by id`,
      [pipeline],
    );
    return rows.map((row) => row.line);
  }

  /** State by `task` or `task[key]`. */
  async tasks(runId: string): Promise<Record<string, string>> {
    const rows = await this.db.query<{ name: string; state: string }[]>(
      `select task_id || case when map_key = '' then '' else '[' || map_key || ']' end as name, state
       from task_run where run_id = $1 order by task_id, map_index`,
      [runId],
    );
    return Object.fromEntries(rows.map((row) => [row.name, row.state]));
  }

  async close(): Promise<void> {
    for (const { scheduler } of this.processes) await scheduler.stop();
    for (const connection of [...this.connections, this.db]) await connection.destroy();
    await this.dropDatabase();
  }
}
