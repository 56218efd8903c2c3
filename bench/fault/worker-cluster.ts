import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '#contracts/client';
import { freePort, startRedisServer, type RedisServer } from '#testing';
import { RunningStandalone, TestProject, until } from '../../apps/standalone/standalone-fixture.ts';
import { PatientDatabase } from './patient-database.ts';

export const TOKEN = 'installation-token-0123456789';
export const SECRET = 'kingfisher-7351-harbour';

const DEV = `
name: dev
storage: file://./.sluice/storage/dev
schedules: active
pools: { default: 32, narrow: 2, wide: 600 }
secrets: { pass: { env: TEST_PASS } }
data: { marks: ./marks }
`;

/** A started process: what it said, and how to end it. */
export class ClusterProcess {
  text = '';
  readonly ended: Promise<number | null>;

  constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    this.ended = new Promise((resolve) => child.once('close', resolve));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isThere(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async ready(): Promise<this> {
    await until(
      'a process to be ready',
      () => {
        if (this.child.exitCode !== null) throw new Error(`it ended while starting:\n${this.text}`);
        return /^Sluice \w+ \S+ (works|runs|at)/m.test(this.text);
      },
      60_000,
    );
    return this;
  }
}

export interface AttemptRow {
  readonly task: string;
  readonly map: number;
  readonly number: number;
  readonly state: string;
  readonly worker: string;
  readonly message: string | null;
}

export type Role = 'api' | 'scheduler' | 'worker';

/** Where a process runs, and what it is told of the others. */
export interface Place {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly apiUrl: string;
  /** See `StartOptions`. */
  readonly via?: readonly string[];
  readonly program?: string;
}

export interface ClusterOptions {
  readonly databaseUrl: string;
  readonly schedulers?: number;
  /** Other places than the usual one: behind a proxy, in a namespace, with another program. Numbers count from 1 in each role. */
  readonly place?: (role: Role, number: number, usual: Place) => Place | Promise<Place>;
  /** Attempts at once of each worker. */
  readonly concurrency?: number;
}

export interface RedisClusterOptions extends ClusterOptions {
  /** The executable of a Redis server. */
  readonly redisProgram: string;
}

/** An API, schedulers and workers, each a process of its own, on a Postgres and a Redis. Workers do not know the former. */
export class Cluster {
  private readonly started: Record<Role, number> = { api: 0, scheduler: 0, worker: 0 };

  private constructor(
    readonly project: TestProject,
    private readonly port: number,
    readonly schedulers: ClusterProcess[],
    private readonly redisServer: RedisServer | null,
    readonly db: PatientDatabase,
    private readonly options: ClusterOptions & { readonly executor: Readonly<Record<string, string>> },
  ) {}

  /** The API's process. */
  api!: ClusterProcess;
  /** How people reach it. */
  server!: RunningStandalone;

  static async start(
    files: Readonly<Record<string, string>>,
    { redisProgram, ...options }: RedisClusterOptions,
  ): Promise<Cluster> {
    const redis = await startRedisServer(redisProgram);
    return Cluster.startOn(await Cluster.project(files), {}, options, redis);
  }

  /** A project whose tasks leave marks in its folder `marks`. */
  static project(files: Readonly<Record<string, string>>): Promise<TestProject> {
    return TestProject.create({ 'environments/dev.yaml': DEV, 'marks/.keep': '', ...files });
  }

  /** `executor`: variables that say who executes attempts, where no Redis does. */
  static async startOn(
    project: TestProject,
    executor: Readonly<Record<string, string>>,
    options: ClusterOptions,
    redis: RedisServer | null = null,
  ): Promise<Cluster> {
    await mkdir(join(project.home, 'releases'), { recursive: true });
    const db = new PatientDatabase(options.databaseUrl);
    const cluster = new Cluster(project, await freePort(), [], redis, db, { ...options, executor });
    await cluster.startApi();
    for (let index = 0; index < (options.schedulers ?? 1); index++) cluster.schedulers.push(await cluster.scheduler());
    await until('the release', async () => (await cluster.server.client.pipelines('dev')).length > 0);
    return cluster;
  }

  /** At the address that it always has. */
  async startApi(): Promise<ClusterProcess> {
    const { env, ...how } = await this.placed('api');
    const child = this.project.spawnProgram('api.js', { ...how, env: { SLUICE_PORT: String(this.port), ...env } });
    const server = new RunningStandalone(child, this.project);
    this.api = await new ClusterProcess(child).ready();
    server.url = /at (http:\S+)/.exec(this.api.text)?.[1] ?? '';
    server.token = TOKEN;
    server.client = createClient({ baseUrl: server.url, token: TOKEN });
    this.server = server;
    return this.api;
  }

  /** A home of its own, as on a machine of its own, beside the store of releases that all share. */
  async scheduler(): Promise<ClusterProcess> {
    return (await this.spawnScheduler()).ready();
  }

  /** The same without waiting for it. */
  async spawnScheduler(): Promise<ClusterProcess> {
    const { env, ...how } = await this.placed('scheduler');
    const home = join(this.project.folder, `home-scheduler-${this.started.scheduler}`);
    await mkdir(home);
    await symlink(join(this.project.home, 'releases'), join(home, 'releases'));
    return new ClusterProcess(
      this.project.spawnProgram('scheduler.js', { ...how, env: { ...env, SLUICE_HOME: home } }),
    );
  }

  /** Its folder is its own; the storage is found by its absolute path. */
  async worker(): Promise<ClusterProcess> {
    const { env, ...how } = await this.placed('worker');
    const home = join(this.project.folder, `home-worker-${this.started.worker}`);
    return new ClusterProcess(
      this.project.spawnProgram('worker.js', { ...how, env: { ...env, SLUICE_HOME: home } }),
    ).ready();
  }

  get redis(): RedisServer {
    if (this.redisServer === null) throw new Error('this cluster has no Redis');
    return this.redisServer;
  }

  async attempts(runId: string): Promise<AttemptRow[]> {
    const { rows } = await this.db.query<AttemptRow>(
      `select task_id as task, map_index as map, number, state, worker, message
       from attempt where run_id = $1 order by task_id, map_index, number`,
      [runId],
    );
    return rows;
  }

  trigger(pipeline: string): Promise<{ readonly id: string }> {
    return this.server.client.trigger(pipeline, { environment: 'dev', params: {} });
  }

  /** What tasks wrote into a file of the folder `marks`, one line each. */
  lines(file: string): string[] {
    const path = join(this.project.folder, 'marks', file);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  }

  async close(): Promise<void> {
    await this.project.destroy();
    await this.db.end();
    await this.redisServer?.close();
  }

  private async placed(role: Role) {
    const { databaseUrl, place, concurrency = 4, executor } = this.options;
    const usual: Place = {
      databaseUrl,
      redisUrl: this.redisServer?.url ?? '',
      apiUrl: `http://127.0.0.1:${this.port}`,
    };
    const number = ++this.started[role];
    const { via, program, ...told } = (await place?.(role, number, usual)) ?? usual;
    const about: Record<string, string> =
      role === 'worker'
        ? { SLUICE_URL: told.apiUrl, SLUICE_CONCURRENCY: String(concurrency) }
        : { DATABASE_URL: told.databaseUrl, TEST_PASS: SECRET };
    return {
      env: { REDIS_URL: told.redisUrl, SLUICE_TOKEN: TOKEN, ...about, ...executor },
      ...(via === undefined ? {} : { via }),
      ...(program === undefined ? {} : { program }),
    };
  }
}
