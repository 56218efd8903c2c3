import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ContractServer } from '../fixture/contract-server.ts';
import { anArchivedRun, aPruneReport } from '../fixture/history-records.ts';
import { sluice } from '../fixture/test-io.ts';

let server: ContractServer;
beforeAll(async () => {
  server = await new ContractServer().start();
});
afterAll(() => server.stop());
const run = (...words: string[]) => sluice(words, { env: server.env });

test('a dry run says what would go, and what stays and why', async () => {
  server.on('POST /history/prune', { json: aPruneReport() });
  const { code, out, err } = await run('history', 'prune', '--env', 'dev', '--dry-run');
  expect(code).toBe(0);
  expect(server.asked.at(-1)?.body).toEqual({ dryRun: true, environment: 'dev' });
  expect(out).toMatch(/dev +90d +40 +400 +2 newest/);
  expect(err).toContain('sluice history prune');
});

test('prune asks again until nothing is left, and adds up what went', async () => {
  const left = [false, false, true];
  server.on('POST /history/prune', () => ({ json: aPruneReport({ dryRun: false, isComplete: left.shift() ?? true }) }));
  const { out } = await run('history', 'prune', '--json');
  expect(left).toEqual([]);
  expect(JSON.parse(out)).toMatchObject([{ environment: 'dev', runs: 120, taskRuns: 1200 }]);
});

test('a run in an archive is listed and shown with its task runs', async () => {
  server.on('GET /history/runs', { json: { items: [anArchivedRun()], next: null } });
  server.on('GET /history/runs/7', { json: anArchivedRun() });
  expect((await run('history', 'list', 'flight-delays')).out).toMatch(/^7 +flight-delays/m);
  const { out } = await run('history', 'show', '7');
  expect(out).toMatch(/archive +\/data\/dev\/\.sluice\/history/);
  expect(out).toMatch(/ingest.*failed.*exit code 3/);
});
