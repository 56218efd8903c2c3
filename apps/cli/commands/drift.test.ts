import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AppliedConfiguration, EnvironmentDiff, EnvironmentDrift } from '#contracts';
import { ContractServer } from '../fixture/contract-server.ts';
import { anEnvironment } from '../fixture/records.ts';
import { sluice } from '../fixture/test-io.ts';

let server: ContractServer;
beforeEach(async () => {
  server = await new ContractServer().start();
});
afterEach(() => server.stop());
const run = (...words: string[]) => sluice(words, { env: server.env });

describe('drift', () => {
  const items: EnvironmentDrift['items'] = [
    { kind: 'behind', subject: 'old-owl', text: 'prod is 3 commits behind.', remedy: 'sluice promote --to prod' },
  ];

  test('says what differs and what to do; with --exit-code it is 10', async () => {
    server.on('GET /environments/prod/drift', { json: { environment: 'prod', items } });
    expect(await run('drift', '--env', 'prod')).toMatchObject({
      ...{ code: 0, err: '', out: 'prod is 3 commits behind.\n  sluice promote --to prod\n' },
    });
    expect((await run('drift', '-e', 'prod', '--exit-code', '-o', 'csv', '--no-headers')).out).toBe(
      'behind,old-owl,prod is 3 commits behind.,sluice promote --to prod\n',
    );
    expect((await run('drift', '-e', 'prod', '--exit-code')).code).toBe(10);
  });

  test('none is 0', async () => {
    server.on('GET /environments/dev/drift', { json: { environment: 'dev', items: [] } });
    expect(await run('drift', '--exit-code')).toMatchObject({ code: 0, out: '', err: 'dev is what it should be.\n' });
  });
});

describe('env diff', () => {
  test('names fields with both sides; with --exit-code it is 10', async () => {
    const fields: EnvironmentDiff['fields'] = [
      { field: 'pools.default', before: 8, after: 16 },
      { field: 'secrets.DSN', after: 'set' },
    ];
    server.on('GET /environments/dev/diff', ({ query }) => ({ json: { from: 'dev', to: query.with, fields } }));
    expect(await run('env', 'diff', 'dev', 'prod')).toMatchObject({
      ...{ code: 0, err: '', out: 'pools.default: 8 → 16\nsecrets.DSN: set\n' },
    });
    expect((await run('env', 'diff', 'dev', 'prod', '--exit-code')).code).toBe(10);
    expect(JSON.parse((await run('env', 'diff', 'dev', 'prod', '--json')).out)).toEqual({
      from: 'dev',
      to: 'prod',
      fields,
    });
  });
});

test('env show --history lists configurations as they were applied', async () => {
  const row: AppliedConfiguration = {
    ...{ seq: 2, hash: 'ab'.repeat(32), actor: 'working tree', at: '2026-01-02T00:00:00.000Z' },
    fields: [{ field: 'vars.region', before: 'eu', after: 'us' }],
  };
  server.on('GET /environments/dev/configurations', { json: { items: [row, { ...row, seq: 1, fields: [] }] } });
  expect((await run('env', 'show', 'dev', '--history', '-o', 'csv', '--no-headers')).out).toBe(
    `2,abababababab,2026-01-02T00:00:00Z,working tree,vars.region\n1,abababababab,2026-01-02T00:00:00Z,working tree,\n`,
  );
});

describe('previews', () => {
  const preview = { parent: 'dev', expiresAt: '2026-01-06T12:00:00.000Z', closing: false };

  test('are made of a release, for some time', async () => {
    server.on('POST /previews', { status: 201, json: anEnvironment({ name: 'dev/pr-1', preview }) });
    const made = await run('env', 'create', 'dev/pr-1', '--release', 'frozen-heron', '--expires', '2d', '-o', 'name');
    expect(made).toMatchObject({ code: 0, out: 'dev/pr-1\n', err: expect.stringContaining('--env dev/pr-1') });
    expect(server.asked.at(-1)?.body).toEqual({
      ...{ environment: 'dev/pr-1', release: 'frozen-heron', expiresInMs: 2 * 86_400_000 },
    });
  });

  test('are removed by their whole name', async () => {
    server.stream('DELETE /previews/dev%2Fpr-1', (response) => void response.writeHead(204).end());
    expect(await run('env', 'remove', 'dev/pr-1')).toMatchObject({ code: 0, out: '' });
  });
});
