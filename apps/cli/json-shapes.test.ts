import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aBackfill, aBackfillDetail } from './fixture/backfill-records.ts';
import { ContractServer } from './fixture/contract-server.ts';
import {
  aPipeline,
  aPipelineDetail,
  aRun,
  aRunDetail,
  aSeries,
  aTaskRunDetail,
  anAlert,
  anEnvironment,
  aRelease,
  aReleaseDetail,
  aReleaseDiff,
} from './fixture/records.ts';
import { sluice } from './fixture/test-io.ts';
import { anArchivedRun, aPruneReport } from './fixture/history-records.ts';
import { aGcReport, aRunDiff, aVerification } from './fixture/verification-records.ts';

// What programs read. A field may be added here; one that goes or changes its type breaks somebody's script.

let server: ContractServer;
let project: string;
const interval = { start: '2026-01-01T00:00:00.000Z', end: '2026-01-02T00:00:00.000Z' };
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'sluice-json-'));
  await sluice(['init', '--template', 'ml'], { cwd: project });
  const reason = {
    taskId: 'a',
    mapIndex: 0,
    rule: 'pool',
    text: 't',
    position: 1,
    holders: ['5/a'],
    startsAt: interval.end,
  };
  const path = { location: 'l', folder: 'f', version: 'v', manifestHash: 'h', runId: '7', publishedAt: interval.start };
  const token = {
    ...{ name: 'ci', groups: ['ops'], rights: [{ right: 'view', environment: '*' }], createdBy: 'x' },
    ...{ createdAt: interval.start, expiresAt: interval.end, lastUsedAt: interval.start },
  };
  const record = {
    ...{ seq: 1, at: interval.start, actor: 'ci', action: 'run.trigger', environment: 'dev', subject: '7' },
    ...{ detail: {}, previous: 'p', hash: 'h' },
  };
  const aFollow = {
    ...{ remote: '/srv/repo', ref: 'main', commit: 'c', at: interval.start, problem: 'p' },
    problems: [{ file: 'dags/a.yaml', line: 1, column: 1, message: 'm' }],
  };
  const configuration = {
    ...{ seq: 1, hash: 'h', actor: 'ci', at: interval.start },
    fields: [{ field: 'vars.region', before: 'eu', after: 'us' }],
  };
  const drift = { kind: 'paused', subject: 'p', text: 't', remedy: 'r' };
  const preview = { parent: 'dev', expiresAt: interval.end, closing: false };
  const line = { n: 1, at: 0, stream: 'out', text: 'x' };
  server = await new ContractServer().start();
  server
    .on('GET /environments', { json: { items: [anEnvironment({ follow: aFollow })] } })
    .on('GET /environments/dev/configurations', { json: { items: [configuration] } })
    .on('GET /environments/dev/diff', { json: { from: 'dev', to: 'prod', fields: configuration.fields } })
    .on('GET /environments/dev/drift', { json: { environment: 'dev', items: [drift] } })
    .on('POST /previews', { status: 201, json: anEnvironment({ name: 'dev/pr-1', preview }) })
    .on('GET /runs', { json: { items: [aRun()], next: null } })
    .on('GET /runs/7', { json: aRunDetail() })
    .on('GET /runs/7/why', { json: { items: [reason] } })
    .on('GET /runs/7/tasks/ingest', { json: aTaskRunDetail() })
    .on('GET /runs/7/tasks/ingest/log', { json: { lines: [line], nextLine: 2, complete: true } })
    .on('GET /pipelines', { json: { items: [aPipeline()] } })
    .on('GET /pipelines/p', { json: aPipelineDetail({ sample: { type: 'number' } }) })
    .on('GET /pipelines/p/metrics', { json: { items: [aSeries([1])] } })
    .on('POST /pipelines/p/runs', { status: 201, json: aRun() })
    .on('POST /backfills', {
      json: { backfill: aBackfill(), intervals: [{ interval, action: 'create', reason: 'missing', runId: '7' }] },
    })
    .on('GET /backfills', { json: { items: [aBackfill()], next: null } })
    .on('GET /backfills/3', { json: aBackfillDetail() })
    .on('GET /alerts', { json: { items: [anAlert()], next: null } })
    .on('GET /releases', { json: { items: [aRelease()], next: null } })
    .on('GET /releases/frozen-heron', { json: aReleaseDetail() })
    .on('GET /releases/brave-owl/diff', { json: aReleaseDiff() })
    .on('POST /runs/7/verify', { status: 201, json: aVerification() })
    .on('GET /runs/7/diff/9', { json: aRunDiff() })
    .on('POST /gc', { json: aGcReport() })
    .on('GET /history/runs', { json: { items: [anArchivedRun()], next: null } })
    .on('GET /history/runs/7', { json: anArchivedRun() })
    .on('POST /history/prune', { json: aPruneReport() })
    .on('GET /paths', { json: path })
    .on('GET /tokens', { json: { items: [token] } })
    .on('GET /whoami', { json: { name: 'ci', groups: ['ops'], rights: token.rights } })
    .on('GET /audit', { json: { items: [record], next: null } })
    .on('GET /audit/verify', { json: { whole: true, records: 1, hash: 'h' } });
});
afterAll(async () => {
  await server.stop();
  await rm(project, { recursive: true });
});

/** Types instead of values; maps whose keys are the user's are shown by one entry as it came. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}

test.each([
  'env list --json',
  'env show dev --json',
  'env show dev --history --json',
  'env diff dev prod --json',
  'env create dev/pr-1 --release frozen-heron --json',
  'drift --json',
  'runs list --json',
  'runs show 7 --json',
  'runs why 7 --json',
  'run p --json',
  'logs 7/ingest -o ndjson',
  'pipelines list --json',
  'pipelines show p --json',
  'metrics show p --json',
  'metrics show p --points --json',
  'backfill create p --from 2026-01-01 --to 2026-01-02 --json',
  'backfill list --json',
  'backfill show 3 --json',
  'alerts list --json',
  'path p.raw --json',
  'token list --json',
  'whoami --json',
  'audit --json',
  'audit --verify --json',
  'release list --json',
  'release show frozen-heron --json',
  'release diff frozen-heron brave-owl --json',
  'verify 7 --json',
  'diff 7 9 --json',
  'gc --dry-run --json',
  'history list --json',
  'history show 7 --json',
  'history prune --dry-run --json',
  'validate --json',
  'render toy-model --task train --json',
  'runs show 404 --json',
])('%s', async (words) => {
  const { out, err } = await sluice(words.split(' '), { env: server.env, cwd: project });
  expect(shapeOf(JSON.parse(out || err))).toMatchSnapshot();
});
