import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { countCommits, mainCommit, RemoteMirror } from './follow-remote.ts';
import { remoteGit } from './git-access.ts';
import { TestRepository } from './repository-fixture.ts';
import { runGit } from './run-git.ts';

const NOTHING = { token: null, sshKeyFile: null };
const PIPELINE = 'name: a\ntasks: { only: { run: "true" } }\n';

let repo: TestRepository;
beforeEach(async () => {
  repo = await TestRepository.create();
});
afterEach(() => repo.remove());
const mirrorOf = (remote = repo.folder) =>
  new RemoteMirror({ folder: path.join(repo.base, 'follow'), remote, access: NOTHING });

describe('a mirror', () => {
  test('asks for branches and tags, and makes snapshots of what it fetched', async () => {
    const first = await repo.commit({ 'dags/a.yaml': PIPELINE });
    repo.git('tag', '-a', 'v1', '-m', 'one');
    const mirror = mirrorOf();
    expect(await mirror.head('main')).toEqual({ commit: first, fullRef: 'refs/heads/main' });
    expect(await mirror.head('v1')).toEqual({ commit: first, fullRef: 'refs/tags/v1' });
    expect(await mirror.head('refs/heads/main')).toEqual({ commit: first, fullRef: 'refs/heads/main' });
    await expect(mirror.head('nope')).rejects.toMatchObject({ code: 'not_found' });

    expect(await mirror.fetch('refs/heads/main')).toBe(first);
    const second = await repo.commit({ 'dags/a.yaml': PIPELINE, 'dags/b.txt': 'b' });
    expect((await mirror.head('main')).commit).toBe(second);
    expect((await mirror.snapshot('refs/heads/main')).commit).toBe(first); // not fetched yet
    expect(await mirror.fetch('refs/heads/main')).toBe(second);
    expect(await mirror.snapshot('refs/heads/main')).toMatchObject({
      ...{ commit: second, branch: 'main', author: 'Ada Ä <ada@example.com>', message: 'First', dirty: false },
      files: [{ path: 'a.yaml' }, { path: 'b.txt' }],
    });
    expect(await countCommits(mirror.repository, first, second)).toBe(1);
    expect(await countCommits(mirror.repository, first, '1'.repeat(40))).toBeNull();
  });

  test('follows a history that was rewritten', async () => {
    await repo.commit({ 'dags/a.yaml': PIPELINE });
    const mirror = mirrorOf(`file://${repo.folder}`);
    await mirror.fetch('refs/heads/main');
    repo.git('checkout', '-q', '--orphan', 'other');
    const other = await repo.commit({ 'dags/a.yaml': PIPELINE }, 'again');
    repo.git('branch', '-q', '-f', 'main', other);
    expect(await mirror.fetch('refs/heads/main')).toBe(other);
  });

  test('runs nothing that the repository brings along, and says what is missing', async () => {
    await repo.commit({ 'dags/a.yaml': PIPELINE });
    const ran = path.join(repo.base, 'ran');
    const hook = path.join(repo.folder, 'hook.sh');
    await writeFile(hook, `#!/bin/sh\ntouch ${ran}\nexec "$@"\n`);
    await chmod(hook, 0o755);
    repo.git('config', 'uploadpack.packObjectsHook', hook);
    repo.git('config', 'core.fsmonitor', hook);
    repo.git('config', 'core.sshCommand', hook);
    await mirrorOf().fetch('refs/heads/main');
    await expect(readFile(ran)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(mirrorOf(path.join(repo.base, 'none')).head('main')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('none'),
    });
  });

  test('ends a git that takes too long, with all that it started', async () => {
    const git = { args: [], cwd: repo.base, env: { PATH: repo.base } };
    await writeFile(path.join(repo.base, 'git'), '#!/bin/sh\n/bin/sleep 60 & /bin/sleep 60\n');
    await chmod(path.join(repo.base, 'git'), 0o755);
    const started = Date.now();
    await expect(runGit(git, [], { timeoutMs: 200 })).rejects.toMatchObject({ code: 'timeout' });
    const stop = new AbortController();
    const answer = runGit(git, [], { timeoutMs: 60_000, signal: stop.signal });
    stop.abort();
    await expect(answer).rejects.toMatchObject({ code: 'timeout' });
    expect(Date.now() - started).toBeLessThan(5000);
  });
});

describe('how git introduces itself', () => {
  const token = { host: 'git.example.com', value: 'secret' };
  const started = (remote: string, access = { token, sshKeyFile: "/keys/a'b" }) =>
    remoteGit('/mirror', remote, access, '/mirror/gitconfig');
  const text = (remote: string) => JSON.stringify(started(remote));
  const basic = Buffer.from('x-access-token:secret').toString('base64');

  test('a token goes to its own host alone, and not on the command line', () => {
    const { env, args } = started('https://git.example.com/team/repo.git');
    expect(Object.values(env)).toContain(`Authorization: Basic ${basic}`);
    expect(Object.values(env)).toContain('http.https://git.example.com/.extraHeader');
    expect(JSON.stringify(args)).not.toContain(basic);
    for (const other of [
      'https://evil.example.com/x',
      'https://git.example.com:8443/x',
      'ssh://git@git.example.com/x',
      '/srv/x',
    ])
      expect(text(other)).not.toContain(basic);
  });

  test('one transport is allowed, the remote’s own', () => {
    expect(started('https://git.example.com/x').env.GIT_ALLOW_PROTOCOL).toBe('https');
    expect(started('git@git.example.com:team/x').env.GIT_ALLOW_PROTOCOL).toBe('ssh');
    expect(started('/srv/x').env.GIT_ALLOW_PROTOCOL).toBe('file');
  });

  test('ssh never asks, uses no agent, and the key that it is told', () => {
    const { env } = started('ssh://git@git.example.com/x');
    expect(env.GIT_SSH_COMMAND).toMatch(
      /BatchMode=yes.*StrictHostKeyChecking=yes.*IdentityAgent=none.* -i '\/keys\/a'\\''b'/,
    );
    for (const name of ['SSH_AUTH_SOCK', 'HOME', 'GIT_ASKPASS']) expect(env[name]).toBeUndefined();
  });
});

test('the main branch of a repository is what origin says, else main, else where it stands', async () => {
  expect(await mainCommit(repo.folder)).toBeNull();
  const first = await repo.commit({ 'dags/a.yaml': PIPELINE });
  expect(await mainCommit(repo.folder)).toEqual({ commit: first, ref: 'main' });
  repo.git('checkout', '-q', '-b', 'feature');
  await repo.commit({ 'dags/b.txt': '1' });
  expect(await mainCommit(repo.folder)).toEqual({ commit: first, ref: 'main' });
  repo.git('update-ref', 'refs/remotes/origin/trunk', 'HEAD');
  repo.git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/trunk');
  expect(await mainCommit(repo.folder)).toMatchObject({ ref: 'origin/trunk' });
});
