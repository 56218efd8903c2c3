import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ContractServer } from '../fixture/contract-server.ts';
import { aPromotion } from '../fixture/promotion-records.ts';
import { sluice } from '../fixture/test-io.ts';

let server: ContractServer;
let cwd: string;
beforeEach(async () => {
  server = await new ContractServer().start();
  cwd = await mkdtemp(path.join(os.tmpdir(), 'sluice-promote-'));
});
afterEach(async () => {
  await server.stop();
  await rm(cwd, { recursive: true, force: true });
});

const PROMOTE = ['promote', '--to', 'prod', '--release', 'frozen-heron', '--wait'];
const run = (...argv: string[]) => sluice(argv, { env: server.env, cwd });

describe('promote --wait', () => {
  test.each([
    ['verified', 0],
    ['superseded', 6],
    ['failed', 9],
    ['rejected', 9],
    ['rolled_back', 9],
  ] as const)('of a promotion that ends %s exits with %d', async (state, expected) => {
    const ended = aPromotion({ state, detail: 'Why it ended.' });
    server.on('POST /promotions', { json: ended }).on('GET /promotions/4', { json: ended });
    const { code, err } = await run(...PROMOTE);
    expect(code).toBe(expected);
    if (expected !== 0) expect(err).toContain(`Promotion 4 of frozen-heron to prod ended ${state}: Why it ended.`);
  });

  test('of somebody who was not first exits with 6 and what to do', async () => {
    const error = { code: 'conflict', message: 'The plan is stale: prod changed.', hint: 'Make a new one.' };
    server.on('POST /promotions', { status: 409, json: { error } });
    const { code, err } = await run(...PROMOTE);
    expect([code, err]).toEqual([6, 'error: The plan is stale: prod changed.\nhint: Make a new one.\n']);
  });

  test('writes every gate as a test case, whatever the end', async () => {
    const gate = { kind: 'metric', name: 'metric m: auc', state: 'failed', detail: '0.7 < 0.8', evidence: {} } as const;
    const ended = aPromotion({ state: 'failed', gates: [...aPromotion().gates, { ...gate, checkedAt: null }] });
    server.on('POST /promotions', { json: ended }).on('GET /promotions/4', { json: ended });
    expect((await run(...PROMOTE, '--junit', 'gates.xml')).code).toBe(9);
    const report = await readFile(path.join(cwd, 'gates.xml'), 'utf8');
    expect(report).toContain('<testsuite name="promotion to prod" tests="3" failures="2"');
    expect(report).toContain('<failure message="0.7 &lt; 0.8" type="gate">');
  });
});

test('promote --plan asks for what was planned, with its hash', async () => {
  const { environment, planHash, kind, release } = aPromotion();
  await writeFile(path.join(cwd, 'plan.json'), JSON.stringify({ environment, planHash, kind, release }));
  server.on('POST /promotions', { json: aPromotion() });
  expect((await run('promote', '--plan', 'plan.json')).code).toBe(0);
  expect(server.asked[0]?.body).toMatchObject({ environment: 'prod', planHash: 'p', release: 'a'.repeat(64) });
});

test.each(['', '{}', '[1]', '{"environment":"prod","planHash":"p","release":null,"kind":"promote"}'])(
  'promote --plan refuses %j, which is no plan, before it asks anything',
  async (text) => {
    await writeFile(path.join(cwd, 'plan.json'), text);
    const { code, err } = await run('promote', '--plan', 'plan.json');
    expect([code, server.asked]).toEqual([2, []]);
    expect(err).toContain('is not a plan of a release');
  },
);
