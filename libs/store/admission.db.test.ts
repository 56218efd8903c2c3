import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { RESOURCE_NAMES, type Batch, type EngineStore, type NewRun, type Resources } from '#core';
import { emptyRows } from '../engine/build-batch.ts';
import { standings, type InLine, type Stock } from '../testing/reference-admission.ts';
import { seeded } from '../testing/simulate-run.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { connectDatabase } from './database.ts';
import { createStore } from './store.ts';

/*
 * Random requests of two processes against admission in SQL, each step held against the reference. A failure names the
 * seed, which gives the same run again: SLUICE_FIRST_SEED=<seed> SLUICE_SEEDS=1.
 */
const SEEDS = Number(process.env.SLUICE_SEEDS ?? 15);
const FIRST = Number(process.env.SLUICE_FIRST_SEED ?? 1);
const STEPS = 8;

let db: DataSource;
let store: EngineStore;
let drop: () => Promise<void>;

beforeAll(async () => {
  const database = await createTestDatabase();
  db = await connectDatabase(database.url, { connections: 2 });
  store = createStore(db);
  const about = { alias: 'r', commit: null, branch: null, author: null, message: null, dirty: true };
  await store.pointAt('dev', { digest: 'r', ...about }, 0, 'test');
  drop = () => database.drop();
});
afterAll(async () => {
  await db.destroy();
  await drop();
});

interface Request extends InLine {
  readonly environment: string;
  readonly owner: Owner;
  readonly taskRun: Batch['inserts'][number];
}

interface Owner {
  readonly processId: string;
  readonly resources: Resources | null;
  readonly runs: readonly { readonly id: string; readonly token: string; readonly environment: string }[];
}

test('admission in SQL gives slots and resources as the reference says, is never over-used and starves nobody', async () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++)
    await new RandomAdmission(seed).run().catch((cause: unknown) => {
      throw new Error(`seed ${seed}: ${(cause as Error).message}`, { cause });
    });
});

/** One environment or two, a few pools, two processes, and requests that come and end at random. */
class RandomAdmission {
  readonly #random: () => number;
  readonly #pools = new Map<string, number>();
  readonly #limits = new Map<string, number>();
  readonly #waiting = new Map<string, Request>();
  readonly #live = new Map<string, Request & { readonly attemptId: string; readonly times: number }>();
  #owners: readonly Owner[] = [];
  #made = 0;

  constructor(private readonly seed: number) {
    this.#random = seeded(seed);
  }

  async run(): Promise<void> {
    await this.#begin();
    for (let step = 0; step < STEPS; step++) await this.#step(true);
    // Nothing new comes: whoever can have what it asks for gets it in the end.
    for (let left = 0; this.#waiting.size > 0; left++) {
      if (left > 400) throw new Error(`${[...this.#waiting.keys()].join(', ')} starve`);
      await this.#step(false);
    }
  }

  async #begin(): Promise<void> {
    await db.query('truncate task_run, attempt, run, pool, process, inbox, environment_config, fire cascade');
    const environments = ['dev', 'prod'].slice(0, this.#upTo(2));
    for (const environment of environments) {
      const pools = Object.fromEntries(['a', 'b'].map((name) => [name, this.#upTo(5)]));
      const limits = this.#chance(0.5) ? this.#some({ cpu: 8, memory: 64, gpu: 2 }) : null;
      await store.applyEnvironment(environment, 'h', limits === null ? {} : { resources: limits }, 'test', pools);
      for (const [name, slots] of Object.entries(pools)) this.#pools.set(`${environment} ${name}`, slots);
      this.#limit(`environment ${environment}`, limits);
    }
    const owners: Owner[] = [];
    for (const processId of ['one', 'two']) {
      const resources = this.#chance(0.6) ? this.#some({ cpu: 6, memory: 48, gpu: 2 }) : null;
      const about = { id: processId, kind: 'scheduler', host: processId, pid: 1, ttlMs: 3_600_000 };
      await store.heartbeat({ ...about, ...(resources === null ? {} : { resources }) });
      this.#limit(`process ${processId}`, resources);
      await store.createRuns(environments.flatMap((name) => [aRun(name, 1), aRun(name, 2), aRun(name, 2)]));
      await store.activateRuns(100);
      const claimed = await store.claimRuns(processId, 100);
      const runs = claimed.map(({ id, leaseToken: token, environment }) => ({ id, token, environment }));
      owners.push({ processId, resources, runs });
    }
    this.#owners = owners;
  }

  /** Some of what lives ends, something new comes, in one batch of one process. */
  async #step(isFed: boolean): Promise<void> {
    const owner = this.#pick(this.#owners);
    const ends = [...this.#live.values()].filter((one) => one.owner === owner && this.#chance(isFed ? 0.5 : 0.9));
    const asks = isFed ? Array.from({ length: this.#upTo(6) }, () => this.#request(owner)) : [];
    for (const end of ends) this.#live.delete(end.id);
    for (const one of asks) this.#waiting.set(one.id, one);
    const touched = new Map<string, number>(asks.map(({ pool }) => [pool, 0]));
    for (const { pool, slots, times } of ends) touched.set(pool, (touched.get(pool) ?? 0) + slots * times);
    // Like a sweep, now and then: without it nobody would look after an end of the other process.
    if (!isFed || this.#chance(0.2)) for (const pool of this.#pools.keys()) touched.set(pool, touched.get(pool) ?? 0);
    const applied = await store.apply({
      ...emptyRows(),
      processId: owner.processId,
      worker: owner.processId,
      runs: owner.runs.map(({ id, token }) => ({ id, token })).sort((x, y) => Number(x.id) - Number(y.id)),
      inserts: asks.map(({ taskRun }) => taskRun),
      attempts: ends.map(({ attemptId }) => anEnd(attemptId)),
      updates: ends.map(({ taskRun }) => aSuccess(taskRun)),
      pools: [...touched].sort().map(([key, freed]) => {
        const [environment = '', pool = ''] = key.split(' ');
        return { environment, pool, freed };
      }),
    });
    if (applied.kind !== 'applied') throw new Error('the batch was refused');
    const expected = this.#expected(new Set(touched.keys()));
    const ours = [...expected].filter(([id]) => this.#waiting.get(id)?.owner === owner).sort();
    const got = applied.admitted
      .map(({ runId, mapIndex, replicas }) => [`${runId}/${mapIndex}`, replicas ?? 1] as const)
      .sort();
    expect({ seed: this.seed, admitted: got }).toEqual({ seed: this.seed, admitted: ours });
    await this.#checkTold([...expected.keys()].filter((id) => this.#waiting.get(id)?.owner !== owner));
    for (const { runId, mapIndex, attemptId, replicas } of applied.admitted) {
      const one = this.#waiting.get(`${runId}/${mapIndex}`)!;
      this.#waiting.delete(one.id);
      this.#live.set(one.id, { ...one, attemptId, times: replicas ?? 1 });
    }
    await this.#checkUse();
  }

  #request(owner: Owner): Request {
    const { id: runId, environment } = this.#pick(owner.runs);
    const mapIndex = this.#made++;
    const pool = this.#pick([...this.#pools].filter(([key]) => key.startsWith(environment)));
    // What can never fit is refused before it stands in line.
    const min = this.#chance(0.3) ? this.#upTo(Math.min(2, pool[1])) : 1;
    const replicas = { min, max: this.#chance(0.3) ? min + this.#upTo(2) : min };
    const slots = this.#upTo(Math.floor(pool[1] / min));
    const wanted = this.#chance(0.5) ? this.#some({ cpu: 3, memory: 24, gpu: 1 }) : {};
    const holders = [`environment ${environment}`, `process ${owner.processId}`];
    const resources = Object.fromEntries(
      Object.entries(wanted).map(([name, amount]) => {
        const most = holders.map((holder) => this.#limits.get(`${holder} ${name}`) ?? Infinity);
        return [name, Math.min(amount, ...most.map((has) => Math.floor(has / min)))];
      }),
    );
    const taskRun = {
      ...{
        runId,
        taskId: 't',
        mapIndex,
        mapKey: '',
        matrix: null,
        environment,
        pipeline: 'p',
        state: 'ready' as const,
      },
      ...{
        pool: pool[0].split(' ')[1]!,
        slots,
        priority: this.#upTo(3),
        intervalStart: null,
        inputs: null,
        reason: null,
      },
      ...{ cache: null, outputs: null, summary: null },
      ...(Object.keys(resources).length === 0 ? {} : { resources }),
      ...(replicas.max === 1 ? {} : { replicas }),
    };
    const asks = new Map(
      holders.flatMap((holder) =>
        Object.entries(resources).map(([name, amount]) => [`${holder} ${name}`, amount] as const),
      ),
    );
    return { id: `${runId}/${mapIndex}`, environment, owner, taskRun, pool: pool[0], slots, asks, replicas };
  }

  /** In one line if anybody asks for resources: then everybody's pools take part. */
  #expected(touched: ReadonlySet<string>): ReadonlyMap<string, number> {
    const line = [...this.#waiting.values()].sort(
      (a, b) =>
        b.taskRun.priority - a.taskRun.priority ||
        a.taskRun.mapIndex - b.taskRun.mapIndex ||
        Number(a.taskRun.runId) - Number(b.taskRun.runId),
    );
    const asking = line.filter(({ taskRun }) => taskRun.resources !== undefined).map(({ pool }) => pool);
    const pools = new Set([...touched, ...asking]);
    const standing = standings(
      line.filter(({ pool }) => pools.has(pool)),
      this.#stock(this.#pools, (one, name) => (one.pool === name ? one.slots : 0)),
      this.#stock(this.#limits, (one, name) => one.asks.get(name) ?? 0),
    );
    return new Map([...standing].flatMap(([id, { how, times }]) => (how === 'admitted' ? [[id, times]] : [])));
  }

  #stock(sizes: ReadonlyMap<string, number>, amountOf: (one: Request, name: string) => number): Stock {
    const live = [...this.#live.values()];
    return new Map(
      [...sizes].map(([name, size]) => [
        name,
        { size, used: live.reduce((sum, one) => sum + amountOf(one, name) * one.times, 0) },
      ]),
    );
  }

  /** Whose turn it is in the other process was told so: a run of its for each pool. */
  async #checkTold(others: readonly string[]): Promise<void> {
    const wanted = new Set(others.map((id) => this.#waiting.get(id)!.pool));
    const rows = await db.query<{ pool: string }[]>(
      "delete from inbox where kind = 'slots' returning payload ->> 'environment' || ' ' || (payload ->> 'pool') as pool",
    );
    const [told] = rows as unknown as [{ pool: string }[]];
    expect({ seed: this.seed, told: told.map(({ pool }) => pool).sort() }).toEqual({
      seed: this.seed,
      told: [...wanted].sort(),
    });
  }

  async #checkUse(): Promise<void> {
    for (const stock of [
      this.#stock(this.#pools, (one, name) => (one.pool === name ? one.slots : 0)),
      this.#stock(this.#limits, (one, name) => one.asks.get(name) ?? 0),
    ])
      for (const [name, { size, used }] of stock)
        if (used > size) throw new Error(`${name} is over-used: ${used} of ${size}`);
    const rows = await db.query<{ pool: string; used: number }[]>(
      "select environment || ' ' || name as pool, used from pool",
    );
    const stock = this.#stock(this.#pools, (one, name) => (one.pool === name ? one.slots : 0));
    for (const { pool, used } of rows)
      expect({ seed: this.seed, pool, used }).toEqual({ seed: this.seed, pool, used: stock.get(pool)!.used });
  }

  #limit(holder: string, resources: Resources | null): void {
    for (const name of RESOURCE_NAMES) {
      const size = resources?.[name];
      if (size !== undefined) this.#limits.set(`${holder} ${name}`, size);
    }
  }

  #some(most: Required<Resources>): Resources {
    return Object.fromEntries(
      RESOURCE_NAMES.filter(() => this.#chance(0.7)).map((name) => [name, this.#upTo(most[name])]),
    );
  }

  #pick<T>(among: readonly T[]): T {
    return among[Math.floor(this.#random() * among.length)] as T;
  }

  #upTo(most: number): number {
    return 1 + Math.floor(this.#random() * most);
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }
}

function aRun(environment: string, maxActiveRuns: number): NewRun {
  return {
    ...{
      environment,
      pipeline: `p${maxActiveRuns}`,
      release: 'r',
      configHash: 'h',
      trigger: 'manual',
      triggerKey: null,
    },
    ...{ shadow: false, promotionId: null, why: 'test', intervalStart: null, intervalEnd: null, params: {} },
    ...{ originRun: null, state: 'queued', reason: null, maxActiveRuns: 100, queueOrder: 0, deadlineMs: null },
    ...{ runTimeoutMs: null, takeOver: [] },
  };
}

function anEnd(attemptId: string): Batch['attempts'][number] {
  return {
    ...{ attemptId, state: 'success', startedAt: 0, finishedAt: 1, pid: null, exitCode: 0, message: null, logLines: 0 },
  };
}

function aSuccess({ runId, taskId, mapIndex }: Batch['inserts'][number]): Batch['updates'][number] {
  return {
    ...{ runId, taskId, mapIndex, from: 'queued', state: 'success', retriesUsed: 0, lost: 0, deferred: 0 },
    ...{ retryAt: null, startedAt: 0, reason: null, gateClosed: false, inputs: null, matrix: null, mapKey: null },
    ...{ outputs: null, summary: null, cache: null },
  };
}
