import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { TestProject, until, type RunningStandalone } from './standalone-fixture.ts';

const HELLO = 'name: hello\ntasks:\n  say:\n    run: echo "hello from $(id -u)"\n';
const SLEEPY = 'name: sleepy\ntasks:\n  sleep:\n    run: sleep 300 & sleep 300\n';

let project: TestProject;
let running: RunningStandalone;
beforeAll(async () => {
  project = await TestProject.create({ 'dags/hello.yaml': HELLO, 'dags/sleepy.yaml': SLEEPY });
  running = await project.start();
});
afterAll(() => project.destroy());

describe('npm start', () => {
  test('prints where it is with a code that signs a browser in once', async () => {
    const [, code] = /#code=(\S+)\n/.exec(running.out) ?? [];
    const withCode = async () => {
      const response = await fetch(`${running.url}/api/v1/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-sluice': '1' },
        body: JSON.stringify({ code }),
      });
      return { status: response.status, cookie: response.headers.get('set-cookie') };
    };
    const first = await withCode();
    expect(first).toEqual({ status: 204, cookie: expect.stringMatching(/HttpOnly; SameSite=Strict/) });
    const cookie = first.cookie?.split(';')[0] ?? '';
    expect((await fetch(`${running.url}/api/v1/system`, { headers: { cookie } })).status).toBe(200);
    expect((await withCode()).status).toBe(401);
  });

  test('is healthy without credentials and tells nothing else without them', async () => {
    const alive = await fetch(`${running.url}/healthz`);
    expect([alive.status, await alive.json()]).toEqual([200, { ok: true }]);
    expect((await fetch(`${running.url}/api/v1/system`)).status).toBe(401);
    expect((await fetch(`${running.url}/metrics`)).status).toBe(401);
  });

  test('runs Postgres as somebody who is not root, whoever started it', async () => {
    const servers = project.processes().filter(({ command }) => command.includes('bin/postgres'));
    expect(servers).toHaveLength(1);
    expect(await running.run('hello')).toMatchObject({ state: 'success' });
  });

  test('started twice on one project: the second says where the first is, ends with 1, and disturbs nothing', async () => {
    const second = await project.startToEnd();
    expect(second.code).toBe(1);
    expect(second.err).toContain(`Sluice already runs here at ${running.url} (process ${running.pid},`);
    expect(second.err).toMatch(/^hint: .*sluice open.*SLUICE_HOME/m);
    expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
    expect(await running.run('hello')).toMatchObject({ state: 'success' });
  });

  test('TERM ends tasks, Postgres and itself with exit code 0', async () => {
    await running.client.trigger('sleepy', { environment: 'dev' });
    await until('the sleeping task', () => project.processes().some(({ command }) => command === 'sleep 300'));
    const stopped = await running.stop();
    expect({ code: stopped.code, signal: stopped.signal, err: stopped.err }).toEqual({
      code: 0,
      signal: null,
      err: '',
    });
    expect(project.processes()).toEqual([]);
    for (const file of ['server.json', 'sluice.pid', 'postgres/data/postmaster.pid'])
      await expect(access(join(project.home, file))).rejects.toThrow('ENOENT');
  });

  test('Ctrl-C while it starts ends what it started so far', async () => {
    const starting = project.start();
    starting.catch(() => undefined);
    await until('Postgres', () => project.processes().some(({ kind }) => kind === 'postgres'), 45_000);
    for (const { pid, kind } of project.processes()) if (kind === 'sluice') process.kill(pid, 'SIGINT');
    await until('the end', () => project.processes().length === 0);
  });
});

describe('a port that is taken', () => {
  let other: Server;
  let port: number;
  beforeAll(async () => {
    other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    port = (other.address() as AddressInfo).port;
  });
  afterAll(() => void other.close());

  test('is named with the next free one, nothing is left running, and the free one works', async () => {
    const refused = await project.startToEnd({ env: { SLUICE_PORT: String(port) } });
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(`error: Port ${port} on 127.0.0.1 is taken by another program.\n`);
    const [, free] = /^hint: Port (\d+) is free: set SLUICE_PORT=\1\.$/m.exec(refused.err) ?? [];
    expect(Number(free)).toBeGreaterThan(port);
    expect(project.processes()).toEqual([]);
    const started = await project.start({ env: { SLUICE_PORT: free ?? '' } });
    expect(started.url).toBe(`http://127.0.0.1:${free}`);
    expect((await started.stop()).code).toBe(0);
  });
});
