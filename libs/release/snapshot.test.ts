import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { snapshotFolder } from './snapshot.ts';

let base: string;
let repository: string;
beforeEach(async () => {
  base = await mkdtemp(path.join(os.tmpdir(), 'sluice-snapshot-'));
  repository = path.join(base, 'repo');
  await mkdir(repository);
});
afterEach(() => rm(base, { recursive: true, force: true }));

const git = (...args: string[]) =>
  execFileSync(
    'git',
    ['-c', 'user.name=Ada Ä', '-c', 'user.email=ada@example.com', '-c', 'init.defaultBranch=main', ...args],
    {
      cwd: repository,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  ).trim();
const write = async (files: Record<string, string>, root = repository) => {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
};
const FILES = {
  'dags/a.yaml': 'name: a\n',
  'dags/sub/b.py': 'print(1)\n',
  'dags/z ü.txt': '',
  'README.md': 'not part',
};
const commitAll = async (files: Record<string, string> = FILES) => {
  git('init', '-q');
  await write(files);
  git('add', '-A');
  git('commit', '-q', '-m', 'First\n\nmore');
};
const take = () => snapshotFolder({ repository });

describe('the snapshot of a git working tree', () => {
  test('holds what is under dags/, with the commit, branch, author and first line beside it', async () => {
    await commitAll();
    const snapshot = await take();
    expect(snapshot.files.map((file) => file.path)).toEqual(['a.yaml', 'sub/b.py', 'z ü.txt']);
    expect(snapshot).toMatchObject({
      commit: git('rev-parse', 'HEAD'),
      branch: 'main',
      author: 'Ada Ä <ada@example.com>',
      message: 'First',
      dirty: false,
    });
    expect([...snapshot.texts]).toEqual([['a.yaml', 'name: a\n']]);
    expect((await snapshot.read(snapshot.files[1]!)).toString()).toBe('print(1)\n');
  });

  test('has the same digest for another path, clock, umask and order of creation, and outside git', async () => {
    await commitAll();
    const { digest } = await take();
    const other = path.join(base, 'elsewhere', 'deep');
    const old = process.umask(0o077);
    try {
      await write(Object.fromEntries(Object.entries(FILES).reverse()), other);
    } finally {
      process.umask(old);
    }
    await utimes(path.join(other, 'dags/a.yaml'), 1, 1);
    const copy = await snapshotFolder({ repository: other });
    expect(copy).toMatchObject({ digest, commit: null, dirty: true });
    await cp(repository, path.join(base, 'clone'), { recursive: true });
    expect((await snapshotFolder({ repository: path.join(base, 'clone') })).digest).toBe(digest);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['a byte', () => writeFile(path.join(repository, 'dags/sub/b.py'), 'print(2)\n')],
    ['an executable bit', () => chmod(path.join(repository, 'dags/sub/b.py'), 0o755)],
    ['a name', () => rename(path.join(repository, 'dags/sub/b.py'), path.join(repository, 'dags/sub/c.py'))],
    ['a file more', () => writeFile(path.join(repository, 'dags/new.sql'), '')],
    ['a file less', () => rm(path.join(repository, 'dags/sub/b.py'))],
  ])('%s changes the digest and makes it dirty, and undoing it brings both back', async (_what, change) => {
    await commitAll();
    const before = await take();
    await change();
    const changed = await take();
    expect(changed.digest).not.toBe(before.digest);
    expect(changed.dirty).toBe(true);
    git('clean', '-fdq');
    git('checkout', '-q', '.');
    expect(await take()).toMatchObject({ digest: before.digest, dirty: false });
  });

  test('a change that keeps size and time is seen when it follows at once', async () => {
    await commitAll();
    const file = path.join(repository, 'dags/a.yaml');
    const digests = new Set<string>();
    for (const text of ['name: b\n', 'name: c\n', 'name: d\n']) {
      await writeFile(file, text);
      await utimes(file, (await stat(file)).atime, new Date());
      digests.add((await take()).digest);
    }
    expect(digests.size).toBe(3);
  });

  test('the commit of an unchanged tree may change without its digest', async () => {
    await commitAll();
    const before = await take();
    git('commit', '-q', '--allow-empty', '-m', 'Second');
    git('checkout', '-q', '-b', 'topic');
    const after = await take();
    expect(after).toMatchObject({ digest: before.digest, message: 'Second', branch: 'topic', dirty: false });
    git('checkout', '-q', '--detach');
    expect((await take()).branch).toBeNull();
  });

  test('changes outside dags/ do not make it dirty', async () => {
    await commitAll();
    await writeFile(path.join(repository, 'README.md'), 'changed');
    expect((await take()).dirty).toBe(false);
  });

  test('what is ignored, and untracked leftovers, are no part of it; tracked files always are', async () => {
    await commitAll({ ...FILES, '.gitignore': 'secret\n', 'dags/committed.tmp': 'x' });
    const { digest } = await take();
    await write({
      'dags/secret': 's',
      'dags/.a.yaml.swp': '',
      'dags/__pycache__/b.pyc': '',
      'dags/node_modules/m/i.js': '',
    });
    const snapshot = await take();
    expect(snapshot.digest).toBe(digest);
    expect(snapshot.files.map((file) => file.path)).toContain('committed.tmp');
  });

  test('a repository without a commit, a project in a subfolder, and one in an ignored folder work', async () => {
    git('init', '-q');
    await write({ 'team/dags/a.yaml': 'name: a', 'ignored/dags/b.yaml': 'name: b', '.gitignore': 'ignored' });
    expect(await snapshotFolder({ repository: path.join(repository, 'team') })).toMatchObject({
      commit: null,
      dirty: true,
    });
    git('add', '-A');
    git('commit', '-q', '-m', 'x');
    const team = await snapshotFolder({ repository: path.join(repository, 'team') });
    expect(team.files.map((file) => file.path)).toEqual(['a.yaml']);
    expect(team.dirty).toBe(false);
    const ignored = await snapshotFolder({ repository: path.join(repository, 'ignored') });
    expect(ignored.files.map((file) => file.path)).toEqual(['b.yaml']);
    expect(ignored.dirty).toBe(true);
  });

  test('symbolic links, repositories inside, and too much of anything are refused, all at once and by name', async () => {
    await commitAll();
    await symlink('/etc/passwd', path.join(repository, 'dags/link'));
    await symlink('sub', path.join(repository, 'dags/folder-link'));
    await expect(take()).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringMatching(/folder-link is a symbolic link; link is a symbolic link/),
    });
    await rm(path.join(repository, 'dags/link'));
    await rm(path.join(repository, 'dags/folder-link'));
    execFileSync('git', ['init', '-q', path.join(repository, 'dags/inner')], { stdio: 'ignore' });
    await write({ 'dags/inner/x': '' });
    execFileSync('git', ['-C', path.join(repository, 'dags/inner'), 'add', 'x'], { stdio: 'ignore' });
    await expect(take()).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('repository of its own'),
    });
    await rm(path.join(repository, 'dags/inner'), { recursive: true });
    for (const limits of [{ files: 2 }, { fileBytes: 8 }, { totalBytes: 10 }])
      await expect(snapshotFolder({ repository, limits })).rejects.toMatchObject({ code: 'bad_request' });
  });

  test('no hook, filter, monitor or configuration of the repository is executed', async () => {
    await commitAll({ ...FILES, 'dags/.gitattributes': '* filter=evil diff=evil\n' });
    const canary = path.join(base, 'canary');
    const script = path.join(base, 'evil.sh');
    await writeFile(script, `#!/bin/sh\ntouch '${canary}'\ncat\n`, { mode: 0o755 });
    for (const key of [
      'core.fsmonitor',
      'filter.evil.clean',
      'filter.evil.smudge',
      'filter.evil.process',
      'diff.evil.textconv',
    ].concat(['core.pager', 'core.editor', 'core.sshCommand', 'gpg.program', 'alias.ls-files']))
      git('config', key, key.startsWith('alias') ? `!${script}` : script);
    git('config', 'core.hooksPath', base);
    git('config', 'log.showSignature', 'true');
    await writeFile(path.join(base, 'post-index-change'), `#!/bin/sh\ntouch '${canary}'\n`, { mode: 0o755 });
    await writeFile(path.join(repository, 'dags/a.yaml'), 'name: changed');
    expect((await take()).dirty).toBe(true);
    await expect(stat(canary)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('without the folder it says how to make one', async () => {
    await expect(take()).rejects.toMatchObject({ code: 'not_found', hint: expect.stringContaining('sluice init') });
  });

  test('reading a file that changed since is a conflict', async () => {
    await commitAll();
    const snapshot = await take();
    await writeFile(path.join(repository, 'dags/a.yaml'), 'other');
    await expect(snapshot.read(snapshot.files[0]!)).rejects.toMatchObject({ code: 'conflict' });
  });
});
