import path from 'node:path';
import { packageRoot } from '#platform';
import type { BodyKind } from './workloads.ts';

/** Where a body runs; engines are ranked among their like only. */
export type Isolation = 'same process' | 'warm process' | 'new process';

export interface Peer {
  readonly name: string;
  /** As it comes, or with what its own pages say about speed. */
  readonly settings: 'defaults' | 'tuned';
  readonly version: string;
  /** Where `install` fetches what `pinned/` names. */
  readonly from: 'here' | 'npm' | 'PyPI';
  readonly needs: 'postgres' | 'redis' | null;
  /** Of bodies that are not a shell, which is a process of its own everywhere. */
  readonly isolation: Isolation;
  /** What survives when its processes or the machine die. */
  readonly durability: string;
  /** The settings, and how the workloads are written for it. */
  readonly how: string;
  /** A repeat asks for at most so many task runs; larger workloads are scaled down. */
  readonly mostTasks: number;
  /** Workloads that it cannot express, with the reason. */
  readonly cannot?: Readonly<Record<string, string>>;
  command(benchFolder: string): string[];
}

const node = (file: string) => (folder: string) => [process.execPath, path.join(folder, 'adapters', file)];
const python = (name: string) => (folder: string) => [
  path.join(peersHome(), name, 'bin', 'python'),
  path.join(folder, 'adapters', `run_${name}.py`),
];
const SLUICE = {
  settings: 'defaults',
  version: 'this commit',
  from: 'here',
  needs: 'postgres',
  durability: 'Postgres, each step in a durable commit before the next begins',
  command: () => [process.execPath, path.join(packageRoot(), 'dist', 'bench', 'peers-sluice.js')],
} as const;
const LIGHT = 1500;

export const PEERS: readonly Peer[] = [
  {
    ...SLUICE,
    name: 'sluice',
    isolation: 'warm process',
    how: '`node:` and `python:` in warm processes',
    mostTasks: LIGHT,
  },
  {
    ...SLUICE,
    name: 'sluice-cold',
    isolation: 'new process',
    how: '`run:` for every body: bash, or python3 for fibo',
    mostTasks: LIGHT,
  },
  {
    name: 'dbos',
    settings: 'defaults',
    version: '5.3.0',
    from: 'npm',
    needs: 'postgres',
    isolation: 'same process',
    durability: 'Postgres, each step in a durable commit',
    how: 'a workflow that starts each step when those before it are done, at most so many at once',
    mostTasks: LIGHT,
    command: node('dbos.mjs'),
  },
  {
    name: 'graphile-worker',
    settings: 'defaults',
    version: '0.18.0',
    from: 'npm',
    needs: 'postgres',
    isolation: 'same process',
    durability: 'Postgres, each job in durable commits',
    how: 'a queue without graphs: the adapter counts what is left to wait for in a table, in the transaction that adds jobs',
    mostTasks: LIGHT,
    command: node('graphile.mjs'),
  },
  {
    name: 'graphile-worker',
    settings: 'tuned',
    version: '0.18.0',
    from: 'npm',
    needs: 'postgres',
    isolation: 'same process',
    durability: 'Postgres; up to 500 jobs fetched ahead are held until a time-out when the process dies',
    how: 'local queue of 500, completion in batches',
    mostTasks: LIGHT,
    command: node('graphile.mjs'),
  },
  {
    name: 'bullmq',
    settings: 'defaults',
    version: '6.7.0',
    from: 'npm',
    needs: 'redis',
    isolation: 'same process',
    durability: 'Redis with an append-only file, synced once a second: a power cut loses a second',
    how: 'a flow where each task is needed by at most one; otherwise the adapter keeps in Redis what is left to wait for',
    mostTasks: LIGHT,
    command: node('bullmq.mjs'),
  },
  {
    name: 'bullmq',
    settings: 'tuned',
    version: '6.7.0',
    from: 'npm',
    needs: 'redis',
    isolation: 'warm process',
    durability: 'Redis with an append-only file, synced once a second: a power cut loses a second',
    how: 'sandboxed processors: child processes that are kept',
    mostTasks: LIGHT,
    command: node('bullmq.mjs'),
  },
  {
    name: 'luigi',
    settings: 'defaults',
    version: '3.8.1',
    from: 'PyPI',
    needs: null,
    isolation: 'new process',
    durability: 'a file for each task that is done, not synced; the central scheduler holds the rest in memory',
    how: 'luigid, one build of all runs of a round, as many workers as tasks at once (a fork for each task)',
    mostTasks: 300,
    command: python('luigi'),
    cannot: { W9: 'each build has workers of its own, so that none waits behind another' },
  },
  {
    name: 'prefect',
    settings: 'defaults',
    version: '3.9.1',
    from: 'PyPI',
    needs: null,
    isolation: 'same process',
    durability: 'SQLite of its server, which is told of states in the background',
    how: '`prefect server`, flows called in one process, `task.submit(wait_for=…)` on the thread pool',
    mostTasks: 60,
    command: python('prefect'),
    cannot: { W9: 'each flow has threads of its own, so that none waits behind another' },
  },
  {
    name: 'dagster',
    settings: 'defaults',
    version: '1.13.29',
    from: 'PyPI',
    needs: null,
    isolation: 'new process',
    durability: 'SQLite, each event',
    how: '`execute_job` with the multiprocess executor, runs of a round one after another',
    mostTasks: 10,
    command: python('dagster'),
    cannot: { W9: 'each run is executed by itself, so that none waits behind another' },
  },
  {
    name: 'dagster',
    settings: 'tuned',
    version: '1.13.29',
    from: 'PyPI',
    needs: null,
    isolation: 'same process',
    durability: 'SQLite, each event',
    how: '`execute_in_process`: one task at a time, runs of a round one after another',
    mostTasks: 60,
    command: python('dagster'),
    cannot: { W9: 'each run is executed by itself, so that none waits behind another' },
  },
  {
    name: 'airflow',
    settings: 'defaults',
    version: '3.3.2',
    from: 'PyPI',
    needs: 'postgres',
    isolation: 'new process',
    durability: 'Postgres, durable commits',
    how: 'LocalExecutor with Postgres; scheduler, API server and DAG processor as they come',
    mostTasks: 10,
    command: python('airflow'),
  },
  {
    name: 'snakemake',
    settings: 'defaults',
    version: '9.27.1',
    from: 'PyPI',
    needs: null,
    isolation: 'new process',
    durability: 'files and its .snakemake folder, not synced',
    how: '`snakemake --cores N` for all runs of a round, one rule with wildcards, bodies as `shell:`',
    mostTasks: 60,
    command: python('snakemake'),
    cannot: { W9: 'each run is a command of its own, so that none waits behind another' },
  },
  {
    name: 'metaflow',
    settings: 'defaults',
    version: '2.19.39',
    from: 'PyPI',
    needs: null,
    isolation: 'new process',
    durability: 'files of its local datastore, not synced',
    how: '`python flow.py run --max-workers N`, runs of a round side by side',
    mostTasks: 10,
    command: python('metaflow'),
    cannot: {
      W8: 'every branch must be joined before the next',
      W9: 'each run is a command of its own, so that none waits behind another',
      W12: 'every branch must be joined in its turn',
      W12K: 'every branch must be joined in its turn',
    },
  },
];

/** Peers that could not be had, and why. */
export const ABSENT = [
  { name: 'dagu', why: 'the Go module proxy refuses its module (403, “This module version is not available”)' },
] as const;

/** Ignored by git; `install` fills it. */
export function peersHome(): string {
  return path.join(packageRoot(), '.sluice', 'peers');
}

export function homeOf({ name }: Pick<Peer, 'name'>): string {
  return path.join(peersHome(), name);
}

export function labelOf({ name, settings }: Pick<Peer, 'name' | 'settings'>): string {
  return settings === 'defaults' ? name : `${name}-${settings}`;
}

/** Of a task in an engine: a shell is a new process everywhere. */
export function isolationOf(peer: Pick<Peer, 'isolation'>, kind: BodyKind): Isolation {
  return kind === 'shell' ? 'new process' : peer.isolation;
}
