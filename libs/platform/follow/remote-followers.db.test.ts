import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import type { DataSource } from 'typeorm';
import { createReleaseStore } from '#release';
import { apiQueries, connectDatabase, createPromotionStore, followQueries } from '#store';
import { createTestDatabase, type TestDatabase } from '#testing';
import { FakeClock } from '../../testing/fake-clock.ts';
import { TestRepository } from '../../release/repository-fixture.ts';
import { Secret } from '../secret.ts';
import { createCommitStatuses, type CommitStatuses } from './commit-statuses.ts';
import type { FollowParts } from './follow-parts.ts';
import { RemoteFollowers } from './remote-followers.ts';

const GOOD = 'name: a\ntasks: { only: { run: "true" } }\n';
const BROKEN = 'name: a\ntasks:\n  only: { run: "true", need: [x] }\n';

let database: TestDatabase;
let db: DataSource;
let repo: TestRepository;
let clock: FakeClock;
/** What happened, in order. */
let seen: string[];
let refusal: string | null;
const started: RemoteFollowers[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  db = await connectDatabase(database.url);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});
beforeEach(async () => {
  await db.query('truncate environment_follow, environment_pointer, promotion_hold, promotion_freeze, release cascade');
  repo = await TestRepository.create();
  clock = new FakeClock('2026-01-01T00:00:00Z');
  [seen, refusal] = [[], null];
});
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop();
  await repo.remove();
});

/** The followers of one process, over a release store and mirrors of its own. */
function followers(looker = 'one', more: Partial<FollowParts> = {}): RemoteFollowers {
  const folder = path.join(repo.base, looker);
  const made = new RemoteFollowers(
    {
      ...{ db, clock, statuses: null, publicUrl: 'https://sluice.example', access: { token: null, sshKeyFile: null } },
      releases: createReleaseStore({ folder: path.join(folder, 'releases') }),
      folder: path.join(folder, 'follow'),
      observer: {
        event: (name, { environment, alias }) => void seen.push(`${name} ${String(environment)} ${String(alias)}`),
        problem: (what, error) => void seen.push(`${what}: ${(error as Error).message}`),
      },
      refusal: () => refusal,
      onChange: () => undefined,
      onUnfollowed: (environment) => void seen.push(`${environment} follows nothing`),
      ...more,
    },
    looker,
  );
  started.push(made);
  return made;
}
const follow = (ref = 'main', environment = 'dev') =>
  followQueries.setFollow(db, { environment, remote: repo.folder, ref }, 'anna');
const row = async () => (await followQueries.readFollows(db))[0];
const pointer = () => apiQueries.readPointer(db, 'dev');
const later = (ms: number) => clock.moveTo(clock.now().getTime() + ms, async () => undefined);

describe('a followed branch', () => {
  test('each commit becomes what the environment runs, in the name of the branch', async () => {
    const first = await repo.commit({ 'dags/a.yaml': GOOD });
    await follow();
    const one = followers();
    await one.lookOnce();
    expect(await row()).toMatchObject({ commit: first, problem: null });
    const before = await pointer();
    expect([before?.release, before?.actor]).toEqual([(await row())?.release, `${repo.folder}#main`]);

    await repo.commit({ 'dags/a.yaml': GOOD.replace('true', 'false') });
    await one.lookOnce();
    expect(await pointer()).toEqual(before); // it is not due yet
    await later(1500);
    await one.lookOnce();
    expect((await pointer())?.release).not.toBe(before?.release);
    expect(seen.map((line) => line.replace(/ \S+$/, ''))).toEqual(['release-followed dev', 'release-followed dev']);
    expect(await apiQueries.verifyAudit(db)).toMatchObject({ whole: true });
  });

  test('a commit with the same pipelines is noted, and moves nothing', async () => {
    await repo.commit({ 'dags/a.yaml': GOOD });
    await follow();
    const one = followers();
    await one.lookOnce();
    const before = await pointer();
    const next = await repo.commit({ 'README.md': 'new' });
    await later(1500);
    await one.lookOnce();
    expect([(await row())?.commit, await pointer()]).toEqual([next, before]);
    expect(seen).toHaveLength(1);
  });

  test('is looked at without delay when somebody asks, or follows something else', async () => {
    await repo.commit({ 'dags/a.yaml': GOOD });
    await follow();
    const one = followers();
    await one.lookOnce();
    const pushed = await repo.commit({ 'dags/b.yaml': GOOD.replace('name: a', 'name: b') });
    await followQueries.askFollowers(db, ['dev']);
    await one.lookOnce();
    expect((await row())?.commit).toBe(pushed);
    repo.git('checkout', '-q', '-b', 'other');
    const other = await repo.commit({ 'dags/a.yaml': GOOD.replace('true', 'false') });
    await follow('other');
    await one.lookOnce();
    expect(await row()).toMatchObject({ ref: 'other', commit: other, actor: 'anna' });
  });

  test('is left alone once it is followed no more', async () => {
    await repo.commit({ 'dags/a.yaml': GOOD });
    await follow();
    const one = followers();
    await one.lookOnce();
    expect(await followQueries.clearFollow(db, 'dev', 'anna')).toBe(true);
    expect(await followQueries.clearFollow(db, 'dev', 'anna')).toBe(false);
    await one.lookOnce();
    expect(seen.slice(1)).toEqual(['dev follows nothing']);
    expect((await pointer())?.release).toBeDefined();
  });

  test('an environment that promotion alone may change says so, and stays', async () => {
    await repo.commit({ 'dags/a.yaml': GOOD });
    await follow();
    refusal = 'dev cannot follow a branch: its releases need approval.';
    await followers().lookOnce();
    expect([(await row())?.problem, await pointer()]).toEqual([refusal, null]);
  });
});

describe('a commit that cannot become a release', () => {
  test('leaves the last good one running and says where it is wrong, until it is corrected', async () => {
    await repo.commit({ 'dags/a.yaml': GOOD });
    await follow();
    const one = followers();
    await one.lookOnce();
    const before = await pointer();
    const commit = await repo.commit({ 'dags/a.yaml': BROKEN });
    await later(1500);
    await one.lookOnce();
    expect(await pointer()).toEqual(before);
    expect(await row()).toMatchObject({
      ...{ commit, release: null, problem: expect.stringContaining('1 problem in 1 file of the commit') },
      problems: [{ file: 'dags/a.yaml', line: 3, column: 24, message: expect.stringContaining('need') }],
    });
    const corrected = await repo.commit({ 'dags/a.yaml': GOOD, 'dags/b.txt': 'b' });
    await later(1500);
    await one.lookOnce();
    expect(await row()).toMatchObject({ commit: corrected, problem: null, problems: [] });
    expect((await pointer())?.release).not.toBe(before?.release);
  });

  test('is told again after the remote could not be read meanwhile, which is asked ever more seldom', async () => {
    await repo.commit({ 'dags/a.yaml': BROKEN });
    await follow();
    const one = followers();
    await one.lookOnce();
    await rename(repo.folder, `${repo.folder}-gone`);
    await later(1500);
    await one.lookOnce();
    expect(await row()).toMatchObject({ problem: expect.stringContaining('cannot be read'), problems: [] });
    await rename(`${repo.folder}-gone`, repo.folder);
    await later(2500);
    await one.lookOnce();
    expect((await row())?.problem).toContain('cannot be read');
    await later(500);
    await one.lookOnce();
    expect(await row()).toMatchObject({ problem: expect.stringContaining('1 problem'), problems: [{ line: 3 }] });
  });

  test('has no such branch, or holds what no release may: said in a sentence', async () => {
    await repo.commit({ 'dags/a.yaml': GOOD });
    await follow('nope');
    const one = followers();
    await one.lookOnce();
    expect((await row())?.problem).toMatch(/has no branch or tag nope\. Push it/);
    const link = repo.blob('/etc/passwd');
    repo.git('branch', '-f', 'odd', repo.commitTree(repo.tree([['120000', 'a.yaml', link]])));
    await follow('odd');
    await one.lookOnce();
    expect(await row()).toMatchObject({
      commit: expect.any(String),
      release: null,
      problem: expect.stringMatching(/link/),
    });
    expect(await pointer()).toBeNull();
  });
});

describe('holds, freezes, and somebody else’s pointer', () => {
  test('a release on hold does not come back by being followed; lifted, it does', async () => {
    await repo.commit({ 'dags/a.yaml': GOOD });
    await follow();
    const one = followers();
    await one.lookOnce();
    const good = await pointer();
    const promotions = createPromotionStore(db);
    await repo.commit({ 'dags/a.yaml': GOOD.replace('true', 'false') });
    await promotions.addFreeze({
      ...{ environment: 'dev', reason: 'inventory', actor: 'anna' },
      ...{ startsAt: '2026-01-01T00:00:00Z', endsAt: '2999-01-01T00:00:00Z' },
    });
    await later(1500);
    await one.lookOnce();
    expect([(await row())?.problem, await pointer()]).toEqual(['dev is frozen: inventory', good]);
    const [freeze] = await promotions.freezes('dev');
    await promotions.liftFreeze('dev', freeze?.id ?? '', 'anna');
    await later(3000);
    await one.lookOnce();
    const second = (await pointer())?.release ?? '';
    expect([second === good?.release, (await row())?.problem]).toEqual([false, null]);

    await promotions.setHold('dev', second, 'wrong figures', 'anna');
    await db.query(`insert into environment_pointer (environment, seq, release, actor) values ('dev', 3, $1, 'anna')`, [
      good?.release,
    ]);
    await later(1500);
    await one.lookOnce();
    expect([(await pointer())?.release, (await row())?.problem]).toEqual([
      good?.release,
      expect.stringMatching(/^Release \w+-\w+ is on hold in dev: wrong figures$/),
    ]);
    await promotions.liftHold('dev', second, 'anna');
    await later(3000);
    await one.lookOnce();
    expect((await pointer())?.release).toBe(second);
  });
});

describe('several processes', () => {
  test('one of them asks; another takes over when it stops, or says nothing for five seconds', async () => {
    const first = await repo.commit({ 'dags/a.yaml': GOOD });
    await follow();
    const [one, two] = [followers('one'), followers('two')];
    await one.lookOnce();
    expect((await row())?.commit).toBe(first);
    const second = await repo.commit({ 'dags/a.yaml': GOOD, 'dags/b.txt': '1' });
    await two.lookOnce();
    expect((await row())?.commit).toBe(first);
    await one.stop();
    await two.lookOnce();
    expect((await row())?.commit).toBe(second);
    const third = await repo.commit({ 'dags/b.txt': '2' });
    await db.query(`update environment_follow set look_until = now() - interval '1 ms'`); // it was killed
    await followers('three').lookOnce();
    expect((await row())?.commit).toBe(third);
  });

  test('what is followed no more when a look ends is not touched by it', async () => {
    const commit = await repo.commit({ 'dags/a.yaml': GOOD });
    await follow();
    const releases = createReleaseStore({ folder: path.join(repo.base, 'slow') });
    await followers('one', {
      releases: {
        put: async (...given) => {
          await followQueries.clearFollow(db, 'dev', 'anna');
          await follow('other');
          return releases.put(...given);
        },
      },
    }).lookOnce();
    expect([commit.length, await pointer(), await row()]).toMatchObject([40, null, { ref: 'other', commit: null }]);
  });
});

describe('the place where the repository is kept', () => {
  let host: Server;
  let asked: { url: string; body: Record<string, unknown> }[];
  let status = 201;
  beforeEach(async () => {
    [asked, status] = [[], 201];
    host = createServer((request, response) => {
      let text = '';
      request
        .on('data', (chunk) => (text += chunk))
        .on('end', () => {
          asked.push({ url: request.url ?? '', body: JSON.parse(text) as Record<string, unknown> });
          response.writeHead(status).end('{}');
        });
    });
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => new Promise((resolve) => host.close(resolve)));
  /** The folder stands for a repository of that host. */
  const statuses = (): CommitStatuses => {
    const real = createCommitStatuses({
      ...{ host: 'git.example.com', token: new Secret('token'), kind: 'github', sshKeyFile: null, webhookSecret: null },
      apiUrl: `http://127.0.0.1:${(host.address() as AddressInfo).port}`,
    }) as CommitStatuses;
    return { tell: (one) => real.tell({ ...one, remote: 'git@git.example.com:team/repo.git' }) };
  };

  test('is told once of each commit, a broken one with its place', async () => {
    const good = await repo.commit({ 'dags/a.yaml': GOOD });
    await follow();
    const one = followers('one', { statuses: statuses() });
    await one.lookOnce();
    const broken = await repo.commit({ 'dags/a.yaml': BROKEN });
    for (let looks = 0; looks < 3; looks += 1) {
      await later(1500);
      await one.lookOnce();
    }
    expect(asked.map(({ url, body }) => [url, body.state, body.context, body.target_url])).toEqual([
      [`/repos/team/repo/statuses/${good}`, 'success', 'sluice/dev', 'https://sluice.example/?env=dev'],
      [`/repos/team/repo/statuses/${broken}`, 'failure', 'sluice/dev', 'https://sluice.example/?env=dev'],
    ]);
    expect(asked[1]?.body.description).toMatch(/^dags\/a\.yaml:3:24: .*need/);
  });

  test('is told a minute later when it does not take it; what runs does not wait for that', async () => {
    status = 503;
    await repo.commit({ 'dags/a.yaml': GOOD });
    await follow();
    const one = followers('one', { statuses: statuses() });
    await one.lookOnce();
    expect([(await pointer()) !== null, asked.length]).toEqual([true, 1]);
    expect(seen[1]).toMatch(/^telling a commit status: git\.example\.com did not take the status .* HTTP 503/);
    status = 201;
    await later(59_000);
    await one.lookOnce();
    expect(asked).toHaveLength(1);
    await later(1500);
    await one.lookOnce();
    expect([asked.length, (await row())?.told?.split(':')[1]]).toEqual([2, 'success']);
  });
});
