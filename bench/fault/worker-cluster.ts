import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectDatabase, type Db } from '#store';
import { createTestDatabase, startRedisServer, type RedisServer } from '#testing';
import { TestProject, until, type RunningStandalone } from '../../apps/standalone/standalone-fixture.ts';

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

/** A started worker: what it said, and how to end it. */
export class TestWorker {
  text = '';
  readonly ended: Promise<number | null>;

  constructor(
    readonly home: string,
    private readonly child: ChildProcess,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    this.ended = new Promise((resolve) => child.once('close', resolve));
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  ready(): Promise<void> {
    return until('a worker', () => /Sluice worker \S+ works/.test(this.text));
  }
}

export interface AttemptRow {
  readonly run: string;
  readonly task: string;
  readonly map: number;
  readonly number: number;
  readonly state: string;
  readonly worker: string;
  readonly message: string | null;
}

/** One scheduler and API on a Postgres and a Redis, and workers that know neither the one's password nor each other. */
export class Cluster {
  private started = 0;

  private constructor(
    readonly project: TestProject,
    readonly server: RunningStandalone,
    readonly redis: RedisServer,
    readonly db: Db,
    readonly databaseUrl: string,
    private readonly closers: (() => Promise<void>)[],
  ) {}

  static async start(files: Readonly<Record<string, string>>): Promise<Cluster> {
    const redis = await startRedisServer(process.env.SLUICE_TEST_REDIS ?? '');
    const database = await createTestDatabase();
    const db = await connectDatabase(database.url, { connections: 2 });
    const project = await TestProject.create({ 'environments/dev.yaml': DEV, ...files });
    const server = await project.start({ env: serverEnv(database.url, redis.url) });
    const closers = [() => project.destroy(), () => db.destroy(), () => database.drop(), () => redis.close()];
    return new Cluster(project, server, redis, db, database.url, closers);
  }

  /** Its folder is its own; the storage is found by its absolute path. */
  async worker(env: Readonly<Record<string, string>> = {}): Promise<TestWorker> {
    const home = join(this.project.folder, `worker-${++this.started}`);
    const child = this.project.spawnProgram('worker.js', {
      env: {
        ...{ SLUICE_URL: this.server.url, SLUICE_TOKEN: TOKEN, REDIS_URL: this.redis.url, SLUICE_HOME: home },
        ...{ SLUICE_CONCURRENCY: '4' },
        ...env,
      },
    });
    const worker = new TestWorker(home, child);
    await worker.ready();
    return worker;
  }

  async attempts(runId: string): Promise<AttemptRow[]> {
    return this.db.query<AttemptRow[]>(
      `select run_id::text as run, task_id as task, map_index as map, number, state, worker, message
       from attempt where run_id = $1 order by task_id, map_index, number`,
      [runId],
    );
  }

  /** Runs of these pipelines. */
  trigger(pipeline: string): Promise<{ readonly id: string }> {
    return this.server.client.trigger(pipeline, { environment: 'dev', params: {} });
  }

  /** What tasks wrote into a file of the project's folder, one line each. */
  lines(file: string): string[] {
    const path = join(this.project.folder, file);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  }

  async close(): Promise<void> {
    for (const close of this.closers) await close();
  }
}

export function serverEnv(databaseUrl: string, redisUrl: string): Record<string, string> {
  return { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, SLUICE_TOKEN: TOKEN, TEST_PASS: SECRET };
}
