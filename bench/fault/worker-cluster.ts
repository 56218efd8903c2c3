import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { createClient } from '#contracts/client';
import { startRedisServer, type RedisServer } from '#testing';
import { RunningStandalone, TestProject, until } from '../../apps/standalone/standalone-fixture.ts';

export const TOKEN = 'installation-token-0123456789';
export const SECRET = 'kingfisher-7351-harbour';

const DEV = `
name: dev
storage: file://./.sluice/storage/dev
schedules: active
pools: { default: 32 }
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

export interface ClusterOptions {
  readonly databaseUrl: string;
  readonly schedulers?: number;
}

export interface RedisClusterOptions extends ClusterOptions {
  /** The executable of a Redis server. */
  readonly redisProgram: string;
}

/** An API, schedulers and workers, each a process of its own, on a Postgres and a Redis. Workers do not know the former. */
export class Cluster {
  private started = 0;

  private constructor(
    readonly project: TestProject,
    readonly server: RunningStandalone,
    readonly schedulers: ClusterProcess[],
    private readonly redisServer: RedisServer | null,
    readonly db: pg.Client,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async start(
    files: Readonly<Record<string, string>>,
    { redisProgram, ...options }: RedisClusterOptions,
  ): Promise<Cluster> {
    const redis = await startRedisServer(redisProgram);
    return Cluster.startOn(await Cluster.project(files), { REDIS_URL: redis.url }, options, redis);
  }

  /** A project whose tasks leave marks in its folder `marks`. */
  static project(files: Readonly<Record<string, string>>): Promise<TestProject> {
    return TestProject.create({ 'environments/dev.yaml': DEV, 'marks/.keep': '', ...files });
  }

  /** `executor`: variables that say who executes attempts. */
  static async startOn(
    project: TestProject,
    executor: Readonly<Record<string, string>>,
    options: ClusterOptions,
    redis: RedisServer | null = null,
  ): Promise<Cluster> {
    await mkdir(join(project.home, 'releases'), { recursive: true });
    const env = { DATABASE_URL: options.databaseUrl, SLUICE_TOKEN: TOKEN, TEST_PASS: SECRET, ...executor };
    const api = project.spawnProgram('api.js', { env });
    const server = new RunningStandalone(api, project);
    await new ClusterProcess(api).ready();
    await until('the address of the API', () => /at (http:\S+)/.test(server.out));
    server.url = /at (http:\S+)/.exec(server.out)?.[1] ?? '';
    server.token = TOKEN;
    server.client = createClient({ baseUrl: server.url, token: TOKEN });
    const db = new pg.Client({ connectionString: options.databaseUrl });
    await db.connect();
    const cluster = new Cluster(project, server, [], redis, db, env);
    for (let index = 0; index < (options.schedulers ?? 1); index++) cluster.schedulers.push(await cluster.scheduler());
    await until('the release', async () => (await server.client.pipelines('dev')).length > 0);
    return cluster;
  }

  /** A home of its own, as on a machine of its own, beside the store of releases that all share. */
  async scheduler(): Promise<ClusterProcess> {
    const home = join(this.project.folder, `home-${++this.started}`);
    await mkdir(home);
    await symlink(join(this.project.home, 'releases'), join(home, 'releases'));
    const env = { ...this.env, SLUICE_HOME: home };
    return new ClusterProcess(this.project.spawnProgram('scheduler.js', { env })).ready();
  }

  /** Its folder is its own; the storage is found by its absolute path. */
  worker(): Promise<ClusterProcess> {
    const home = join(this.project.folder, `home-${++this.started}`);
    const about = { SLUICE_URL: this.server.url, SLUICE_TOKEN: TOKEN, REDIS_URL: this.redis.url };
    const env = { ...about, SLUICE_HOME: home, SLUICE_CONCURRENCY: '4' };
    return new ClusterProcess(this.project.spawnProgram('worker.js', { env })).ready();
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
}
