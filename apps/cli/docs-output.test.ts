import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { examplesOf } from '../../libs/testing/examples.ts';
import { ContractServer } from './fixture/contract-server.ts';
import { aPruneReport } from './fixture/history-records.ts';
import { sluice } from './fixture/test-io.ts';
import { aGcReport, aVerification } from './fixture/verification-records.ts';

// Pages that show what commands print of more than a test has: the server of these tests answers what they tell of.

let server: ContractServer;
beforeAll(async () => {
  server = await new ContractServer().start();
});
afterAll(() => server.stop());

/** The commands of an example, each with what it prints, both streams in their order. */
async function printed(example: string): Promise<string> {
  let shown = '';
  for (const [, command = ''] of example.matchAll(/^\$ sluice (.*)$/gm)) {
    shown += `$ sluice ${command}\n`;
    const seen = { out: 0, err: 0 };
    const add = (stream: 'out' | 'err') => (text: string) => {
      shown += text.slice(seen[stream]);
      seen[stream] = text.length;
    };
    await sluice(command.split(' '), { env: server.env, onOut: add('out'), onErr: add('err') });
  }
  return shown;
}

test('docs/verify.md shows what verify prints', async () => {
  const found = aVerification({
    ...{ runId: '1204', shadowRunId: '1311', files: 14, drifted: 2, tools: [] },
    detail: 'The first difference is in task train: model/weights.json differs. 2 of 14 files differ.',
    tasks: [],
    drifts: [
      ['train', 'model', 'weights.json'],
      ['evaluate', 'report', 'summary.html'],
    ].map(([taskId = '', output = '', file = '']) => ({
      ...{ taskId, mapIndex: 0, mapKey: '', output, file, change: 'changed' as const },
      ...{ before: { path: file, bytes: 1, sha256: 'aa' }, after: { path: file, bytes: 1, sha256: 'bb' } },
    })),
  });
  server
    .on('POST /runs/1204/verify', { status: 201, json: { ...found, verdict: null, finishedAt: null } })
    .on('GET /runs/1204/verification', { json: { verification: found } });
  const [verify = ''] = examplesOf('docs/verify.md', 'console', 2);
  expect(await printed(verify)).toBe(verify);
});

test('docs/verify.md shows what gc prints', async () => {
  const going = {
    versions: [{ environment: 'dev', count: 812, bytes: 93415014400, removed: [] }],
    releases: { count: 14, bytes: 182044, removed: [] },
  };
  server.on('POST /gc', { json: aGcReport(going) });
  const [, gc = ''] = examplesOf('docs/verify.md', 'console', 2);
  expect(await printed(gc)).toBe(gc);
});

test('docs/history.md shows what prune prints', async () => {
  const environment = {
    ...{ environment: 'prod', retentionDays: 90, before: '2026-01-01T00:00:00.000Z', runs: 4210, taskRuns: 52118 },
    kept: [
      { reason: 'newest', runs: 31 },
      { reason: 'origin', runs: 4 },
      { reason: 'release', runs: 2 },
    ],
  };
  server.on('POST /history/prune', { json: aPruneReport({ environments: [environment] }) });
  const [prune = ''] = examplesOf('docs/history.md', 'console', 1);
  expect(await printed(prune)).toBe(prune);
});

test('docs/environments.md shows what the history of an environment prints', async () => {
  const applied = (seq: number, hash: string, at: string, fields: readonly string[]) => ({
    ...{ seq, hash, at, actor: 'working tree' },
    fields: fields.map((field) => ({ field, before: 1, after: 2 })),
  });
  const items = [
    applied(2, '5f2c9a7d10be'.padEnd(64, '0'), '2026-01-03T09:12:44.000Z', ['pools.gpu', 'vars.region']),
    applied(1, '0be1d6c3a482'.padEnd(64, '0'), '2026-01-02T17:40:09.000Z', []),
  ];
  server.on('GET /environments/dev/configurations', { json: { items } });
  const [history = ''] = examplesOf('docs/environments.md', 'console', 1);
  expect(await printed(history)).toBe(history);
});
