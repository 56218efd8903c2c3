import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  createLog,
  type Installation,
  loadConfig,
  openInstallation,
  packageRoot,
  readServerFile,
  startEmbeddedPostgres,
  WorkingTree,
} from '#platform';
import { type ServedApi, serveApi } from '../apps/api/serve.ts';

/** The whole system without its API, on a project of its own with durable Postgres. */
export interface BenchSystem {
  readonly folder: string;
  readonly installation: Installation;
  readonly databaseUrl: string;
  /** Starts runs by hand, all in parallel, and resolves to the seconds until the last one has succeeded. Throws when one did not. */
  run(pipelines: readonly string[]): Promise<number>;
  /** Each task's own stamps of its last run, in ms of one clock, in the order of their start; forgets them. */
  takeStamps(): Promise<Stamp[]>;
  close(): Promise<void>;
}

export interface Stamp {
  readonly task: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface Project {
  /** Contents by file name below `dags/`. `STAMPS` in them stands for the file that tasks append `task startMs endMs` to. */
  readonly files: Readonly<Record<string, string>>;
  /** Attempts at once. */
  readonly concurrency: number;
  /** True: schedules fire, from the moment on at which it is open. */
  readonly firesSchedules?: boolean;
  /** Slots by pool, besides `default`. */
  readonly pools?: Readonly<Record<string, number>>;
  /** Of what one attempt may log; by default 64 MiB. */
  readonly logBytes?: string;
  /** What the system's log warns of. */
  readonly onWarning?: (line: string) => void;
}

/** A `node:` task that only says when it ran, and one that does nothing at all. */
export const NOOP_MODULE = `import { appendFileSync } from 'node:fs';
const now = () => performance.timeOrigin + performance.now();
export function stamp(ctx) {
  const start = now();
  appendFileSync('STAMPS', ctx.env.SLUICE_TASK_ID + ' ' + start + ' ' + now() + '\\n');
}
export function noop() {}
`;

export async function openBenchSystem(project: Project): Promise<BenchSystem> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
  const stamps = path.join(folder, 'stamps');
  for (const [name, text] of Object.entries(project.files)) {
    const file = path.join(folder, 'dags', name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text.replaceAll('STAMPS', stamps));
  }
  await mkdir(path.join(folder, 'environments'));
  await writeFile(
    path.join(folder, 'environments', 'dev.yaml'),
    `name: dev\nstorage: file://./storage\nschedules: ${project.firesSchedules ? 'active' : 'paused'}\npools: ${JSON.stringify({ default: 100_000, ...project.pools })}\nlogs: { max_bytes: ${project.logBytes ?? '64MiB'} }\n`,
  );
  const postgres = await startEmbeddedPostgres({ dataFolder: path.join(folder, 'postgres') });
  const config = {
    ...loadConfig({ SLUICE_CONCURRENCY: String(project.concurrency) }, folder),
    home: path.join(folder, '.sluice'),
  };
  const { onWarning } = project;
  const log = createLog(onWarning ? { level: 'warn', destination: { write: onWarning } } : { level: 'error' });
  const installation = await openInstallation({
    config,
    databaseUrl: postgres.url,
    log,
    publicUrl: '',
    packageRoot: packageRoot(),
    firesSchedules: project.firesSchedules ?? false,
  });
  const { store, releases, environments, commands, db } = installation;
  const tree = new WorkingTree({ project: folder, store, releases, environments, log, onChange: () => undefined });
  await tree.refresh();
  const problems = tree.problems();
  if (problems.length > 0) throw new Error(JSON.stringify(problems.slice(0, 3)));
  await installation.startScheduler();
  return {
    folder,
    installation,
    databaseUrl: postgres.url,
    async run(pipelines) {
      const started = performance.now();
      const ids = await Promise.all(
        pipelines.map((pipeline) =>
          commands.trigger({ pipeline, environment: 'dev', params: {}, actor: 'the benchmark' }),
        ),
      );
      for (;;) {
        const nextCommit = new Promise<void>((resolve) => installation.onCommit(resolve));
        const states: { state: string; n: number }[] = await db.query(
          `select state, count(*)::int as n from run where id = any($1::bigint[]) group by 1`,
          [ids],
        );
        if (states.every(({ state }) => state !== 'queued' && state !== 'running')) {
          if (states.some(({ state }) => state !== 'success')) throw await failureOf(db, ids);
          return (performance.now() - started) / 1000;
        }
        await nextCommit;
      }
    },
    async takeStamps() {
      const text = await readFile(stamps, 'utf8');
      await rm(stamps);
      return text
        .trimEnd()
        .split('\n')
        .map((line) => {
          const [task = '', start, end] = line.split(' ');
          return { task, startMs: Number(start), endMs: Number(end) };
        })
        .sort((a, b) => a.startMs - b.startMs);
    },
    async close() {
      await installation.close();
      await postgres.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** The system's API at a free port, with the token that its own server file holds. */
export async function serveSystem({ installation }: BenchSystem): Promise<ServedApi & { readonly token: string }> {
  const { config } = installation;
  const served = await serveApi({
    ...{ installation: { ...installation, config: { ...config, port: 0 } }, log: createLog({ level: 'error' }) },
    ...{ version: 'bench', packageRoot: packageRoot(), problems: () => [] },
  });
  return { ...served, token: (await readServerFile(config.home))?.token ?? '' };
}

async function failureOf(db: Installation['db'], runIds: readonly string[]): Promise<Error> {
  const [first]: { task_id: string; message: string | null }[] = await db.query(
    `select task_id, message from attempt where run_id = any($1::bigint[]) and state <> 'success' order by id limit 1`,
    [runIds],
  );
  return new Error(`a run did not succeed: ${first ? `${first.task_id}: ${first.message}` : 'no attempt failed'}`);
}
