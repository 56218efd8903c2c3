import { describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPort, checkTimeZones, checkWriting } from './machine-checks.ts';
import { checkNode, checkPostgres, checkPython, checkSpark } from './program-checks.ts';

test.each([
  ['20.19.0', 'ok'],
  ['22.13.0', 'ok'],
  ['22.12.0', 'fail'],
  ['20.18.3', 'fail'],
  ['18.20.0', 'fail'],
])('Node %s is %s', (version, verdict) => expect(checkNode(version)).toMatchObject({ verdict }));

test('a missing interpreter is a warning with a remedy: nothing else needs it', async () => {
  expect(await checkPython('/no/such/python3')).toMatchObject({
    verdict: 'warn',
    remedy: expect.stringContaining('3.9'),
  });
});

test('Spark may be missing, unless somebody named it', () => {
  expect(checkSpark(undefined, '/nowhere')).toMatchObject({ verdict: 'ok', remedy: null });
  expect(checkSpark('/no/such/spark-submit')).toMatchObject({
    verdict: 'warn',
    remedy: expect.stringContaining('SLUICE_SPARK_SUBMIT'),
  });
  expect(checkSpark(import.meta.filename)).toMatchObject({ verdict: 'ok', found: import.meta.filename });
});

test('the built-in Postgres is found, and not needed with DATABASE_URL', async () => {
  expect(await checkPostgres(undefined)).toMatchObject({ verdict: 'ok', found: expect.stringContaining('built-in') });
  const found = await checkPostgres('postgres://user:hunter2@host/db');
  expect(found.verdict).toBe('ok');
  expect(JSON.stringify(found)).not.toContain('hunter2');
});

test('time zone data is checked by computing with it', () => expect(checkTimeZones()).toMatchObject({ verdict: 'ok' }));

test('writing is checked by writing, and leaves nothing behind', async () => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-doctor-'));
  expect(await checkWriting(root)).toMatchObject({ verdict: 'ok' });
  expect(await readdir(root)).toEqual([]);
  await rm(root, { recursive: true });
  // Not even root can make a folder below a file that is none.
  expect(await checkWriting('/dev/null')).toMatchObject({
    verdict: 'fail',
    remedy: expect.stringContaining('SLUICE_HOME'),
  });
});

describe('the port', () => {
  async function withServer(body: string, run: (port: number) => Promise<void>): Promise<void> {
    const server = createServer((_, response) => void response.end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await run(port);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await checkPort({ SLUICE_PORT: String(port) })).toMatchObject({ verdict: 'ok', found: 'free' });
  }

  test('used by another program is a warning', () =>
    withServer('hello', async (port) => {
      expect(await checkPort({ SLUICE_PORT: String(port) })).toMatchObject({
        verdict: 'warn',
        found: 'in use by another program',
      });
    }));

  test('used by a Sluice server is fine', () =>
    withServer('{"ok":true}', async (port) => {
      expect(await checkPort({ SLUICE_PORT: String(port) })).toMatchObject({ verdict: 'ok' });
    }));

  test.each(['99999', '-1', 'http'])('%s is none', async (port) => {
    expect(await checkPort({ SLUICE_PORT: port })).toMatchObject({ verdict: 'fail' });
  });
});
