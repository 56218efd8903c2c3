import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ContractServer, eventStream } from '../fixture/contract-server.ts';
import { sluice } from '../fixture/test-io.ts';
import { aGcReport, aRunDiff, aVerification } from '../fixture/verification-records.ts';

let server: ContractServer;
beforeAll(async () => {
  server = await new ContractServer().start();
});
afterAll(() => server.stop());
const run = (...words: string[]) => sluice(words, { env: server.env });
const going = aVerification({ verdict: null, finishedAt: null, detail: null, tasks: [], drifts: [] });

test('verify waits for the verdict, says what differs, and exits 10', async () => {
  let looks = 0;
  server
    .on('POST /runs/7/verify', { status: 201, json: going })
    .on('GET /runs/7/verification', () => ({ json: { verification: ++looks > 1 ? aVerification() : going } }))
    .stream('GET /events', (response) => {
      const send = eventStream(response);
      send(null, { kind: 'verification', environment: 'dev', pipeline: 'p', runId: '7', verdict: 'drifted' }, '1');
    });
  const { code, out, err } = await run('verify', '7');
  expect([code, looks]).toEqual([10, 2]);
  expect(out).toContain('drifted\n');
  expect(out).toContain('\ningest: uses secrets\n~ train[lr=1]  model/w.json\n');
  expect(err).toContain('sluice diff 7 9');
});

test.each([
  ['reproducible', 0],
  ['drifted', 10],
  ['not_comparable', 11],
] as const)('a run that was found %s exits %d', async (verdict, code) => {
  server.on('GET /runs/7/verification', { json: { verification: aVerification({ verdict }) } });
  expect((await run('verify', '7', '--show')).code).toBe(code);
});

test('verify does not wait when told so, exits 8 when it waited long enough, and 5 when there is nothing to show', async () => {
  server
    .on('POST /runs/7/verify', { status: 201, json: going })
    .on('GET /runs/7/verification', { json: { verification: going } });
  expect(await run('verify', '7', '--no-wait')).toMatchObject({ code: 0 });
  expect(await run('verify', '7', '--timeout', '50ms')).toMatchObject({ code: 8 });
  server.on('GET /runs/7/verification', { json: { verification: null } });
  expect(await run('verify', '7', '--show')).toMatchObject({ code: 5, err: expect.stringContaining('never verified') });
  expect((await run('verify', 'x')).code).toBe(2);
});

test('diff shows each kind of difference below its heading, and exits 10 when asked to', async () => {
  server.on('GET /runs/7/diff/9', { json: aRunDiff() });
  const { code, out } = await run('diff', '7', '9');
  expect([code, out.split('\n')]).toEqual([
    0,
    [
      ...['Run', '  ~ release: r1 → r2', '', 'Parameters', '  - sample: 0.1', ''],
      ...['Pipeline', '  ~ flight-delays retries.max: 1 → 2', '', 'Tasks', '  + flight-delays/train', ''],
      ...['Inputs', `  + train.raw ds=2026-01-01: ${'a'.repeat(12)}`, ''],
      ...['Files', '  ~ train[lr=1] model/w.json: aa → bb', '  ~ train.log:  → gone: not compared', ''],
      ...['Metrics', '  ~ train.auc: 0.7 → 0.8', ''],
      ...['Timing', '  ~ train: success in 1.5s → failed, 3 tries', ''],
    ],
  ]);
  expect((await run('diff', '7', '9', '--exit-code')).code).toBe(10);
  const csv = await run('diff', '7', '9', '-o', 'csv');
  expect(csv.out.split('\n')[0]).toBe('what,name,change,before,after');
  server.on('GET /runs/7/diff/9', { json: aRunDiff({ same: true }) });
  expect(await run('diff', '7', '9', '--exit-code')).toMatchObject({
    code: 0,
    err: expect.stringContaining('in timing only'),
  });
});

test('gc asks for what the options say, and tells what it was', async () => {
  server.on('POST /gc', { json: aGcReport({ problems: ['dev: no disk'] }) });
  const { code, out, err } = await run('gc', '--dry-run', '--keep', '5', '--older-than', '30d');
  expect(server.asked.at(-1)?.body).toEqual({ dryRun: true, keep: 5, olderThanMs: 30 * 86_400_000 });
  expect([code, out]).toEqual([
    0,
    'KIND      ENVIRONMENT  COUNT  BYTES\nversions  dev              2   2048\nreleases  -                1     10\n',
  ]);
  expect(err).toContain('dev: no disk');
  expect(err).toContain('sluice gc --keep 5 --older-than 30d');
});
