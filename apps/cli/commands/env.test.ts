import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Follow } from '#contracts';
import { ContractServer, eventStream } from '../fixture/contract-server.ts';
import { anEnvironment } from '../fixture/records.ts';
import { sluice } from '../fixture/test-io.ts';

const SOURCE = 'https://git.example.com/team/repo.git#main';
const PROBLEM = { file: 'dags/a.yaml', line: 3, column: 7, message: '"need" is no key here.', hint: 'Write needs.' };
const followed: Follow = {
  ...{ remote: 'https://git.example.com/team/repo.git', ref: 'main', commit: 'c'.repeat(40) },
  ...{ at: '2026-01-03T11:59:00.000Z', problem: null, problems: [] },
};
const broken: Follow = { ...followed, problem: 'This cannot become a release: 1 problem.', problems: [PROBLEM] };

let server: ContractServer;
beforeEach(async () => {
  server = await new ContractServer().start();
});
afterEach(() => server.stop());
const answer = (follow: Follow | null) =>
  server.on('GET /environments', { json: { items: [anEnvironment({ follow }), anEnvironment({ name: 'prod' })] } });
const run = (...words: string[]) => sluice(['env', ...words], { env: server.env });

describe('env list and show', () => {
  test('say what decides the release', async () => {
    answer(followed);
    expect(await run('list')).toMatchObject({ code: 0, err: '' });
    const { out } = await run('list', '-o', 'csv', '--no-headers');
    expect(out.split('\n')[0]).toBe(`dev,ab12cd34ef56,2026-01-02T00:00:00Z,active,${SOURCE},,file:///srv/sluice/dev`);
    expect((await run('show', 'dev')).out).toContain(`follows      ${SOURCE}\ncommit       cccccccccccc\n`);
    expect(await run('show', 'nope')).toMatchObject({ code: 5, err: expect.stringContaining('Known: dev, prod.') });
  });

  test('a broken commit is told with its place, and what runs goes on', async () => {
    answer(broken);
    expect((await run('list')).err).toBe(
      'warning: dev: commit cccccccccccc: This cannot become a release: 1 problem. dags/a.yaml:3:7: "need" is no key here.\n',
    );
    const { out } = await run('show', 'dev');
    expect(out).toContain('release      ab12cd34ef56\n');
    expect(out).toContain('dags/a.yaml:3:7: error: "need" is no key here.\n  hint: Write needs.\n');
    expect(JSON.parse((await run('show', 'dev', '--json')).out).follow.problems).toEqual([PROBLEM]);
  });
});

describe('env set', () => {
  test('follows a branch and waits for the first look, so that a wrong address shows at once', async () => {
    let looks = 0;
    const silent = { ...followed, commit: null, at: null };
    const unreadable = { ...silent, problem: 'https://git.example.com/team/repo.git cannot be read: not found' };
    server.on('PUT /environments/dev/follow', { json: anEnvironment({ follow: silent }) });
    server.on('GET /environments', () => ({
      json: { items: [anEnvironment({ follow: looks++ === 0 ? silent : unreadable })] },
    }));
    server.stream('GET /events', (response) => {
      const send = eventStream(response);
      send(null, { kind: 'release', environment: 'dev', release: '' }, '1');
    });
    const { code, out } = await run('set', 'dev', '--follow', SOURCE);
    expect([code, server.asked[0]?.body]).toEqual([0, { source: SOURCE }]);
    expect(out).toContain('problem      https://git.example.com/team/repo.git cannot be read: not found\n');
  });

  test('follows nothing any more; without a choice it says what there is', async () => {
    server.on('DELETE /environments/dev/follow', { json: anEnvironment() });
    expect(await run('set', 'dev', '--no-follow', '-o', 'name')).toMatchObject({ code: 0, out: 'dev\n' });
    expect(await run('set', 'dev')).toMatchObject({ code: 2, err: expect.stringContaining('--no-follow') });
  });
});
