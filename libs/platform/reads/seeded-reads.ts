import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DataSource } from 'typeorm';
import type { CompiledPipeline, LogLine, LogStore } from '#core';
import { compilePipelines, parseEnvironment } from '#dag';
import { Backfills, Commands, Events, Promotions, requestVerification } from '#engine';
import { createReleaseStore, FolderObjects, type ReleaseStore } from '#release';
import { createFileStorage } from '#storage';
import { connectDatabase, createPromotionStore, createStore, createVerificationStore } from '#store';
import { GraphLayouts } from '../graph-layout.ts';
import { createApiCommands } from '../api-commands.ts';
import { createEventCommands } from '../event-commands.ts';
import { createBackfillCommands } from '../backfill-commands.ts';
import type { EnvironmentFiles } from '../environment-files.ts';
import { createPreviewCommands } from '../preview-commands.ts';
import { Previews } from '../previews.ts';
import { createFollowCommands } from '../follow-commands.ts';
import { createPromotionCommands } from '../promotion-commands.ts';
import { createReleaseCommands } from '../release-commands.ts';
import { Secret } from '../secret.ts';
import { createVerificationCommands } from '../verification-commands.ts';
import { filesOfVersion } from '../version-files.ts';
import { createHistoryCommands } from '../history/history-commands.ts';
import { createBackfillReads } from './backfill-reads.ts';
import { createDriftReads } from './drift-reads.ts';
import { createPromotionReads } from './promotion-reads.ts';
import { createHistoryReads } from './history-reads.ts';
import type { ReadContext } from './read-context.ts';
import { createReads } from './reads.ts';
import { createReleaseReads } from './release-reads.ts';
import { createVerificationReads } from './verification-reads.ts';

export const NOW = new Date('2026-01-10T12:00:00Z');
export const WEBHOOK_SECRET = 'secret-of-the-webhook';

const FILES = [
  {
    file: 'churn.yaml',
    text: `
name: churn
description: Daily churn
owner: growth
tags: [ml]
schedule: { cron: "0 2 * * *", timezone: Europe/Berlin, start: 2026-01-01, catchup: true }
max_active_runs: 2
params:
  sample: { type: number, default: 1 }
paths:
  raw: { at: raw, partition: ds }
  models: models
tasks:
  ingest:
    run: echo "\${{ params.sample }}" > "$PATH_RAW/x"
    writes: [raw]
  train:
    matrix: { lr: [0.1, 0.2] }
    run: train --lr \${{ matrix.lr }}
    reads: [raw]
    writes: [models]
    metrics: [auc]
  evaluate:
    needs: [train]
    run: "true"
finally:
  tidy: { run: "true" }
`,
  },
  { file: 'broken.yaml', text: 'name: broken\ntasks:\n  a: { run: x, nope: 1 }\n' },
  { file: 'by-hand.yaml', text: 'name: by-hand\ntasks:\n  only: { run: "true" }\n' },
  {
    file: 'grouped.yaml',
    text: `
name: grouped
groups: { g: { matrix: { region: [eu, us] } } }
tasks:
  list: { run: "true", group: g }
  fit: { run: "true", group: g, matrix: { n: [1, 2, 3] }, max_parallel: 1 }
  more: { run: "true", group: g, needs: list, matrix: { n: "\${{ tasks.list.outputs.n }}" }, max_parallel: 1 }
`,
  },
];
const ENVIRONMENT = `
name: dev
storage: file:///tmp/unused
schedules: active
pools: { default: 4 }
vars: { region: eu }
`;

export interface SeededReads {
  readonly reads: ReturnType<typeof createReads> &
    ReturnType<typeof createBackfillReads> &
    ReturnType<typeof createHistoryReads> &
    ReturnType<typeof createReleaseReads> &
    ReturnType<typeof createPromotionReads> &
    ReturnType<typeof createVerificationReads> &
    ReturnType<typeof createDriftReads>;
  readonly commands: ReturnType<typeof createApiCommands> &
    ReturnType<typeof createEventCommands> &
    ReturnType<typeof createBackfillCommands> &
    ReturnType<typeof createHistoryCommands> &
    ReturnType<typeof createReleaseCommands> &
    ReturnType<typeof createPromotionCommands> &
    ReturnType<typeof createVerificationCommands> &
    ReturnType<typeof createPreviewCommands> &
    ReturnType<typeof createFollowCommands>;
  /** Empty: `r1` above is nowhere but in the database. */
  readonly releases: ReleaseStore;
  /** `churn` as it was compiled. */
  readonly pipeline: CompiledPipeline;
  /** Who follows a log at the moment. */
  readonly logListeners: ReadonlySet<(lines: readonly LogLine[]) => void>;
  readonly db: DataSource;
  /** Inserts a row of JSON into a table; keys are columns. Returns it as stored. */
  insert(table: string, row: Readonly<Record<string, unknown>>): Promise<Record<string, string>>;
  /** Forgets everything that ran. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Reads over a database of its own that knows environment `dev`, release `r1` with the pipelines above and an older one, and nothing that ran. */
export async function seededReads(database: { url: string; drop(): Promise<void> }): Promise<SeededReads> {
  const db = await connectDatabase(database.url, { connections: 4 });
  const compiled = compilePipelines(FILES);
  const { environment } = parseEnvironment('environments/dev.yaml', ENVIRONMENT, '/');
  if (environment === null || compiled.pipelines.length !== 3) throw new Error('the seed is broken');
  const insert: SeededReads['insert'] = async (table, row) => {
    const [stored] = await db.query<Record<string, string>[]>(
      `with made as (insert into ${table} (${Object.keys(row).join(', ')}) overriding system value
         select ${Object.keys(row).join(', ')} from jsonb_populate_record(null::${table}, $1::jsonb) returning *)
       select * from made`,
      [JSON.stringify(row)],
    );
    return stored ?? {};
  };
  await insert('release', { digest: 'r1', alias: 'a', dirty: true, created_at: NOW });
  await insert('environment_pointer', { environment: 'dev', seq: 1, release: 'r1', actor: 'test', at: NOW });
  await insert('environment_config', {
    environment: 'dev',
    seq: 1,
    hash: 'h',
    content: environment,
    actor: 'test',
    at: NOW,
  });
  const layouts = new GraphLayouts();
  const logListeners: Set<(lines: readonly LogLine[]) => void> = new Set();
  const lines: LogLine[] = [{ n: 1, at: 1, stream: 'out', text: 'hello' }];
  const logs: Pick<LogStore, 'read' | 'search' | 'follow'> = {
    read: async (key) => ({
      lines: lines.map((line) => ({ ...line, text: JSON.stringify(key) })),
      nextLine: 2,
      complete: true,
    }),
    search: async () => [1],
    // Like a log that its attempt never closed.
    follow: (_key, _from, onLines, signal) =>
      new Promise((resolve) => {
        onLines(lines);
        logListeners.add(onLines);
        signal.addEventListener('abort', () => {
          logListeners.delete(onLines);
          resolve();
        });
      }),
  };
  const store = createStore(db);
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-seeded-'));
  const releases = createReleaseStore({ folder });
  const olderFiles = FILES.map(({ file, text }) => ({ file, text: text.replace('echo ', 'printf ') }));
  const older = compilePipelines(olderFiles);
  const releasesOfSeed = new Map([
    ['r0', olderFiles.map((one) => ({ ...one, from: older }))],
    ['r1', FILES.map((one) => ({ ...one, from: compiled }))],
  ]);
  const catalog: ReadContext['catalog'] = {
    files: async (release) => new Map([['ingest.py', release]]),
    pipelines: async (release) =>
      (releasesOfSeed.get(release) ?? []).map(({ file, text, from }) => ({
        name: file.replace('.yaml', ''),
        file,
        source: text,
        pipeline: from.pipelines.find((one) => one.file === file) ?? null,
        problems: from.problems.get(file) ?? [],
      })),
  };
  const reads = createReads({
    db,
    store,
    catalog,
    layouts,
    now: () => NOW,
    environment: (name) => (name === 'dev' ? { config: environment, hash: 'h' } : null),
    logsFor: () => logs as LogStore,
    storageFor: () => ({
      address: async (version) => `/storage/${version}`,
      readArtefact: async ({ number }) => (number === 1 ? Buffer.from('{"cells": []}') : null),
    }),
    treeProblems: () => [],
    progress: () => ({ done: 1, total: 2, label: 'half' }),
    process: {
      version: '1.2.3',
      startedAt: NOW,
      executor: () => ({ kind: 'local', capacity: 4, running: 1 }),
    },
  });
  const environments = {
    get: (name: string) => (name === 'dev' ? { config: environment, hash: 'h' } : null),
    all: () => [{ config: environment, hash: 'h' }],
    file: async () => ({ environment: { config: environment, hash: 'h' }, problems: [] }),
    isClosing: () => false,
    showPreviews: () => undefined,
  };
  const files = environments as unknown as EnvironmentFiles;
  const pipelines = {
    get: async (_release: string, name: string) => compiled.pipelines.find((one) => one.name === name) ?? null,
    all: async () => compiled.pipelines,
  };
  const acting = { store, pipelines, environments, now: () => NOW, onChange: () => undefined };
  const commands = new Commands(acting);
  const clock = { now: () => NOW, schedule: () => () => undefined };
  const storage = createFileStorage({ root: path.join(folder, 'storage') });
  const storageFor = () => storage;
  const objectsFor = () => new FolderObjects(path.join(folder, 'storage'));
  const verifying = {
    ...{ verifications: createVerificationStore(db), store, pipelines, environments, clock, wake: () => undefined },
    ...{
      alertDefaults: { publicUrl: '', decidesInSlack: false, unavailable: () => null },
      textOf: async () => null,
      discard: async () => undefined,
    },
    observer: { event: () => undefined, problem: () => undefined },
    filesOf: (_name: string, version: string, hash: string) => filesOfVersion(storage, version, hash),
  };
  const verify = (runId: string, actor: string) => requestVerification(verifying, runId, { actor, sampled: false });
  const promotionStore = createPromotionStore(db);
  const isFollowed = async (): Promise<boolean> => false;
  const promotions = new Promotions({
    ...{ promotions: promotionStore, pipelines, environments, isFollowed },
    clock,
    groupsOf: async () => [],
    jenkins: null,
    onChange: () => undefined,
  });
  const previews = new Previews({
    ...{ db, store, environments: files, roots: { erase: async () => undefined }, clock },
    ...{ observer: verifying.observer, wake: () => undefined },
  });
  const promoting = { db, environments, promotions, isFollowed, store: promotionStore, now: () => NOW };
  return {
    logListeners,
    reads: {
      ...reads,
      ...createBackfillReads({ db }),
      ...createReleaseReads({ db, releases }),
      ...createHistoryReads({ db, objectsFor }),
      ...createPromotionReads(promoting),
      ...createVerificationReads({ db, store, catalog, storageFor }),
      ...createDriftReads({ db, environments: files, project: folder }),
    },
    commands: {
      ...createApiCommands(commands, store, files),
      ...createEventCommands({
        events: new Events({
          ...acting,
          alertDefaults: { publicUrl: '', decidesInSlack: false, unavailable: () => null },
        }),
        environments,
        clock,
      }),
      ...createBackfillCommands({ backfills: new Backfills(acting) }),
      ...createReleaseCommands({ db, releases }),
      ...createHistoryCommands({ db, clock, environments, storageFor, objectsFor }),
      ...createPromotionCommands(promoting),
      ...createVerificationCommands({ db, releases, storageFor, verify, mirrors: path.join(folder, 'follow') }, clock),
      ...createPreviewCommands({ db, previews }),
      ...createFollowCommands({
        ...{ db, environments, lookAtRemotes: () => undefined },
        git: { webhookSecret: new Secret(WEBHOOK_SECRET) },
      }),
    },
    releases,
    pipeline: compiled.pipelines.find(({ name }) => name === 'churn') as CompiledPipeline,
    db,
    insert,
    clear: async () => {
      const tables =
        'verification, backfill, backfill_interval, run, run_mark, task_run, task_wait, attempt, schedule, pool, metric, path_version, path_pointer, alert_delivery, event, archived_run, archive, metric_history';
      await db.query(`truncate ${tables} restart identity`);
    },
    close: async () => {
      await layouts.close();
      await db.destroy();
      await database.drop();
      await rm(folder, { recursive: true });
    },
  };
}

/** A run of `churn` in dev, as the engine would have made it; `more` are columns. */
export async function aRun(seeded: SeededReads, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const ended = !['queued', 'running', undefined].includes(more.state as string | undefined);
  const row = await seeded.insert('run', {
    ...{
      environment: 'dev',
      pipeline: 'churn',
      release: 'r1',
      config_hash: 'h',
      trigger: 'schedule',
      why: 'It was due.',
    },
    ...{ params: { sample: 1 }, state: 'running', max_active_runs: 2, queue_order: 0, counts: {} },
    ...{ interval_start: '2026-01-01T01:00:00Z', interval_end: '2026-01-02T01:00:00Z', created_at: NOW },
    ...{ cancel_requested: false, lease_token: 0, started_at: NOW, finished_at: ended ? NOW : null },
    id: await nextId(seeded, 'run'),
    ...more,
  });
  return String(row.id);
}

export async function aTaskRun(
  seeded: SeededReads,
  runId: string,
  taskId: string,
  state: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const ended = ['success', 'failed', 'skipped', 'upstream_failed', 'cancelled'].includes(state);
  await seeded.insert('task_run', {
    ...{ run_id: runId, task_id: taskId, map_index: 0, map_key: '', environment: 'dev', pipeline: 'churn', state },
    ...{ number: 0, fence: 0, retries_used: 0, lost: 0, deferred: 0, gate_closed: false, pool: 'default', slots: 1 },
    ...{ priority: 0, ready_at: NOW, finished_at: ended ? NOW : null },
    ...more,
  });
}

export async function anAttempt(
  seeded: SeededReads,
  runId: string,
  taskId: string,
  number: number,
  state: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await seeded.insert('attempt', {
    ...{ run_id: runId, task_id: taskId, map_index: 0, number, fence: number, state, worker: 'w', queued_at: NOW },
    id: await nextId(seeded, 'attempt'),
    ...more,
  });
}

/** Identity columns take no explicit null, so ids come from their sequence. */
export async function nextId({ db }: SeededReads, table: string): Promise<string> {
  const [row] = await db.query<{ id: string }[]>(`select nextval(pg_get_serial_sequence($1, 'id'))::text as id`, [
    table,
  ]);
  return row?.id ?? '';
}
