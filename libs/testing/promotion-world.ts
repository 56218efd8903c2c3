import { createHash } from 'node:crypto';
import path from 'node:path';
import type { DataSource } from 'typeorm';
import { type Assignment, type Caller, type CompiledPipeline, type Outcome, type PromotionCase } from '#core';
import { compilePipelines, parseEnvironment } from '#dag';
import {
  type AppliedEnvironment,
  type JenkinsAccount,
  Promotions,
  type PromotionParts,
  Scheduler,
  stepPromotions,
} from '#engine';
import { createFileStorage, type EnvironmentStorage } from '#storage';
import { connectDatabase, createPromotionStore, createStore } from '#store';
import { FakeClock } from './fake-clock.ts';
import { type Said, ScriptedExecutor, SUCCESS } from './scripted-executor.ts';

export interface PromotionWorldOptions {
  /** A migrated database; several worlds on one are several processes. */
  readonly url: string;
  /** More lines of environments/prod.yaml, which says `from: [dev]`. */
  readonly prod?: string;
  /** Absolute folder for the data of the environments. */
  readonly storage?: string;
  /** Whose builds may wait for promotions; default: nobody's. */
  readonly jenkins?: JenkinsAccount;
  /** What stands between promotions and their stores. */
  readonly around?: (parts: PromotionParts) => PromotionParts;
}

export const ANN: Caller = { name: 'ann', groups: ['leads'], rights: [] };
export const BEN: Caller = { name: 'ben', groups: ['leads'], rights: [] };
export const JENKINS: Caller = { name: 'jenkins', groups: [], rights: [] };

/** Promotions from dev to prod on a real database, with time and the outcome of every attempt in the hands of the test. */
export class PromotionWorld {
  readonly problems: string[] = [];
  readonly clock = new FakeClock(Date.now());
  readonly parts: PromotionParts;
  readonly promotions: Promotions;
  readonly scheduler: Scheduler;
  /** How an attempt ends and what it says; null: it goes on. */
  end: (assignment: Assignment) => Promise<(Said & { readonly outcome?: Outcome }) | null> = () => Promise.resolve({});
  /** Environment whose release something else decides. */
  followed: string | null = null;
  /** Problems of every release from now on. */
  invalid: readonly string[] = [];
  private readonly releases = new Map<string, readonly CompiledPipeline[]>();
  private readonly environments = new Map<string, AppliedEnvironment>();
  private readonly executor = new ScriptedExecutor(() => this.clock.now().getTime());

  private constructor(
    readonly db: DataSource,
    private readonly root: string,
    around: (parts: PromotionParts) => PromotionParts,
    jenkins: JenkinsAccount | undefined,
  ) {
    const store = createStore(db);
    const problem = (what: string, error: unknown): void =>
      void this.problems.push(`${what}: ${(error as Error).message}`);
    const shared = {
      store,
      clock: this.clock,
      alertDefaults: { publicUrl: 'http://sluice', decidesInSlack: true, unavailable: () => null },
      observer: { event: () => undefined, problem },
      environments: {
        get: (name: string) => this.environments.get(name) ?? null,
        all: () => [...this.environments.values()],
      },
      pipelines: {
        get: (release: string, name: string) =>
          Promise.resolve(this.releases.get(release)?.find((pipeline) => pipeline.name === name) ?? null),
        all: (release: string) => Promise.resolve(this.releases.get(release) ?? []),
      },
    };
    this.parts = around({
      ...shared,
      promotions: createPromotionStore(db),
      isFollowed: (environment) => Promise.resolve(environment === this.followed),
      releaseProblems: () => Promise.resolve(this.invalid),
      readSecret: () => Promise.resolve('secret'),
      statusOf: () => Promise.resolve(200),
      elsewhere: {
        request: () => Promise.reject(new Error('no other installation')),
        look: () => Promise.reject(new Error('no other installation')),
        cancel: () => Promise.reject(new Error('no other installation')),
      },
      wake: () => undefined,
    });
    this.promotions = new Promotions({
      ...this.parts,
      groupsOf: (name) => Promise.resolve(name === 'ben' ? ['leads'] : []),
      jenkins: jenkins ?? null,
      onChange: () => undefined,
    });
    this.scheduler = new Scheduler({
      ...shared,
      processId: `process-${process.pid}-${Math.random()}`,
      host: `host-${Math.random()}`,
      pid: process.pid,
      executor: this.executor,
      storageFor: (environment) => this.storageOf(environment),
      releaseFiles: () => Promise.resolve(new Map()),
      httpLook: () => Promise.reject(new Error('nobody answers')),
      onProgress: () => undefined,
      leaseMs: 60_000,
      firesSchedules: false,
    });
  }

  static async open(options: PromotionWorldOptions): Promise<PromotionWorld> {
    const { url, prod = '', storage = '/nowhere', around = (all) => all, jenkins } = options;
    const world = new PromotionWorld(await connectDatabase(url, { connections: 4 }), storage, around, jenkins);
    await world.configure('dev', 'schedules: active');
    await world.configure('prod', `from: [dev]\n${prod}`);
    return world;
  }

  storageOf(environment: string): EnvironmentStorage {
    return createFileStorage({ root: path.join(this.root, environment), durable: false });
  }

  /** Applies an environment file; `unnoticed`: this process goes on with what it knew. */
  async configure(name: string, lines: string, { unnoticed = false } = {}): Promise<void> {
    const text = `name: ${name}\nstorage: file://${this.root}/${name}\nalerts: { slack: { channel: "#${name}" } }\n${lines}`;
    const { environment: config, problems } = parseEnvironment(`environments/${name}.yaml`, text, '/');
    if (config === null) throw new Error(problems.map(({ message }) => message).join('\n'));
    const hash = createHash('sha256').update(text).digest('hex');
    if (!unnoticed) this.environments.set(name, { config, hash });
    await this.parts.store.applyEnvironment(name, hash, config, 'test', config.pools);
  }

  /** Makes these pipeline files a release. */
  async release(digest: string, ...texts: string[]): Promise<void> {
    const { pipelines, problems } = compilePipelines(texts.map((text, index) => ({ file: `p${index}.yaml`, text })));
    for (const problem of [...problems.values()].flat()) throw new Error(`${problem.file}: ${problem.message}`);
    this.releases.set(digest, pipelines);
    await this.db.query(
      `insert into release (digest, alias, author, dirty) values ($1, $1, 'Cy <cy@example.com>', false) on conflict do nothing`,
      [digest],
    );
  }

  /** Asks for a promotion; its id. */
  ask(
    environment: string,
    release: string,
    more: Partial<Parameters<Promotions['request']>[0]> = {},
    caller: Caller = JENKINS,
  ): Promise<string> {
    const nothing = {
      ...{ reason: null, buildUrl: null, input: null, planHash: null, approver: null, overrides: [], verified: [] },
    };
    return this.promotions.request(
      { ...nothing, environment, release, kind: 'promote', inFlight: 'finish', ...more },
      caller,
    );
  }

  rollBack(to: string | null = null, caller: Caller = ANN): Promise<string> {
    return this.promotions.rollBack(
      { environment: 'prod', to, reason: 'broken', buildUrl: null, inFlight: 'finish' },
      caller,
    );
  }

  /** Asks and follows it as far as it goes by itself: `state: detail`. */
  async promote(
    environment: string,
    release: string,
    more: Parameters<PromotionWorld['ask']>[2] = {},
  ): Promise<string> {
    return this.course(await this.ask(environment, release, more));
  }

  /** Follows a promotion as far as it goes by itself: `state: detail`. */
  async course(id: string): Promise<string> {
    await this.settle();
    const { promotion } = await this.case(id);
    return `${promotion.state}: ${promotion.detail ?? ''}`;
  }

  async case(id: string): Promise<PromotionCase> {
    const found = await this.parts.promotions.promotionCase(id);
    if (found === null) throw new Error(`there is no promotion ${id}`);
    return found;
  }

  /** `name state`, of each gate. */
  async gates(id: string): Promise<string[]> {
    return (await this.case(id)).gates.map(({ name, state }) => `${name}: ${state}`);
  }

  /** Runs one pipeline by hand on the environment's release, to its end. */
  async run(environment: string, pipeline: string): Promise<string> {
    const { release } = await this.parts.promotions.stand(environment);
    const [id] = await this.parts.store.createRuns([
      {
        ...{ environment, pipeline, release: release ?? '', configHash: 'h', trigger: 'manual', triggerKey: null },
        ...{ shadow: false, promotionId: null, why: 'test', intervalStart: null, intervalEnd: null, params: {} },
        ...{ originRun: null, state: 'queued', reason: null, maxActiveRuns: 8, queueOrder: 0, deadlineMs: null },
        ...{ runTimeoutMs: null, takeOver: [] },
      },
    ]);
    await this.settle();
    return id ?? '';
  }

  /** Until nothing follows by itself: promotions wait for people or time, and no run is under way. */
  async settle(): Promise<void> {
    for (let before = ''; ;) {
      await stepPromotions(this.parts);
      await this.work();
      const now = JSON.stringify(
        await this.db.query(
          `select (select json_agg(p order by id) from promotion p) as promotions, (select json_agg(state order by id) from run) as runs`,
        ),
      );
      if (now === before) return;
      before = now;
    }
  }

  /** The scheduler takes what there is, and attempts end. */
  async work(): Promise<void> {
    await this.scheduler.tick();
    await this.scheduler.idle();
    for (let ended = true; ended;) {
      ended = false;
      for (const assignment of [...this.executor.live.values()]) {
        const ending = await this.end(assignment);
        if (ending === null) continue;
        const { outcome = SUCCESS, ...said } = ending;
        this.executor.endAttempt(assignment, outcome, said);
        await this.scheduler.idle();
        ended = true;
      }
    }
  }

  /** Releases that an environment has pointed at, oldest first. */
  async pointed(environment: string): Promise<string[]> {
    const rows = await this.db.query<{ release: string }[]>(
      'select release from environment_pointer where environment = $1 order by seq',
      [environment],
    );
    return rows.map(({ release }) => release);
  }

  /** `event target`, of each alert about promotions. */
  async alerts(): Promise<string[]> {
    const rows = await this.db.query<{ line: string }[]>(
      `select event || ' ' || target as line from alert_delivery where event like 'promotion.%' order by id`,
    );
    return rows.map(({ line }) => line);
  }

  async close(): Promise<void> {
    await this.scheduler.stop();
    await this.db.destroy();
  }
}
