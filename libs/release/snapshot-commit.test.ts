import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Problem, SluiceError } from '#core';
import { TestRepository } from './repository-fixture.ts';
import { snapshotCommit } from './snapshot-commit.ts';
import { snapshotFolder } from './snapshot.ts';

let repo: TestRepository;
beforeEach(async () => {
  repo = await TestRepository.create();
});
afterEach(() => repo.remove());

const FILES = {
  'dags/a.yaml': 'name: a\n',
  'dags/sub/b.py': 'print(1)\n',
  'dags/sub.txt': 'sorts between sub and sub/\n',
  'dags/z ü.txt': '',
  'dags/𝒵.txt': 'beyond the basic plane',
  'dags/～.txt': 'after it in UTF-8, before it in UTF-16',
  'README.md': 'not part',
};
const take = (ref = 'HEAD', repository = repo.folder) => snapshotCommit({ repository, ref });
const digestOf = async (ref = 'HEAD', repository = repo.folder) => (await take(ref, repository)).digest;

async function refusal(what: Promise<unknown>): Promise<{ code: string; said: string[]; hints: string[] }> {
  const error = await what.then(
    () => {
      throw new Error('it was accepted');
    },
    (thrown: SluiceError) => thrown,
  );
  const problems = (error.details?.problems ?? []) as Problem[];
  return {
    code: error.code,
    said: problems.length > 0 ? problems.map((one) => `${one.file} ${one.message}`) : [error.message],
    hints: [...problems.map((one) => one.hint ?? ''), error.hint ?? ''],
  };
}

describe('the snapshot of a commit', () => {
  test('is that of a clean working tree: files, texts, digest, commit, branch, author, first line', async () => {
    const commit = await repo.commit(FILES);
    const [committed, folder] = [await take(), await snapshotFolder({ repository: repo.folder })];
    const { read: _read, ...rest } = committed;
    expect(rest).toMatchObject({
      commit,
      branch: 'main',
      author: 'Ada Ä <ada@example.com>',
      message: 'First',
      dirty: false,
    });
    expect(committed.files).toEqual(
      folder.files.map(({ path: name, executable, bytes, sha256 }) => ({ path: name, executable, bytes, sha256 })),
    );
    expect([committed.digest, [...committed.texts]]).toEqual([folder.digest, [...folder.texts]]);
    for (const file of committed.files) expect((await committed.read(file)).equals(await folder.read(file))).toBe(true);
  });

  test('does not look at the working tree, the index, or what is not committed', async () => {
    await repo.commit(FILES);
    const digest = await digestOf();
    await writeFile(path.join(repo.folder, 'dags/a.yaml'), 'changed\n');
    await writeFile(path.join(repo.folder, 'dags/new.yaml'), 'new\n');
    repo.git('add', '-A');
    await rm(path.join(repo.folder, 'dags'), { recursive: true });
    expect(await take()).toMatchObject({ digest, dirty: false });
  });

  test('takes a branch, a tag, a short id and an older commit; a detached HEAD has no branch', async () => {
    const first = await repo.commit(FILES);
    const second = await repo.commit({ 'dags/a.yaml': 'name: a2\n' }, 'Second');
    repo.git('tag', '-a', '-m', 'x', 'v1', first);
    repo.git('branch', 'feature/x', first);
    const known = await digestOf(first);
    expect(await take('feature/x')).toMatchObject({ commit: first, branch: 'feature/x', digest: known });
    expect(await take('v1')).toMatchObject({ commit: first, branch: null, digest: known });
    expect(await take(first.slice(0, 9))).toMatchObject({ commit: first, digest: known });
    expect(await take('HEAD~1')).toMatchObject({ commit: first, message: 'First' });
    expect(await take()).toMatchObject({ commit: second, message: 'Second' });
    repo.git('checkout', '-q', '--detach', second);
    expect(await take()).toMatchObject({ commit: second, branch: null });
  });

  test('of a project inside a repository holds that project', async () => {
    await repo.commit({ 'team/ml/dags/a.yaml': 'name: a\n', 'dags/other.yaml': 'x' });
    const inside = path.join(repo.folder, 'team', 'ml');
    const snapshot = await take('HEAD', inside);
    expect(snapshot.files.map((file) => file.path)).toEqual(['a.yaml']);
    expect(snapshot.digest).toBe((await snapshotFolder({ repository: inside })).digest);
  });
});

describe('the digest of a commit is the same', () => {
  let digest: string;
  beforeEach(async () => {
    await repo.commit(FILES);
    digest = await digestOf();
  });

  test('for another checkout path, umask, locale, time, author and order of creation', async () => {
    const other = await TestRepository.create();
    const umask = process.umask(0o077);
    try {
      await other.write(Object.fromEntries(Object.entries(FILES).reverse()));
    } finally {
      process.umask(umask);
    }
    const env = {
      LC_ALL: 'tr_TR.UTF-8',
      TZ: 'Asia/Kathmandu',
      GIT_AUTHOR_DATE: '1999-01-01T00:00:00',
      GIT_COMMITTER_DATE: '2033-05-18T00:00:00',
    };
    other.run(['add', '-A'], '', env);
    other.run(['commit', '-q', '-m', 'Other', '--author', 'Eve <eve@example.com>'], '', env);
    expect(await take('HEAD', other.folder)).toMatchObject({ digest, author: 'Eve <eve@example.com>' });
    await other.remove();
  });

  test('in a bare clone, in one with packs only, in a worktree, and with SHA-256 objects', async () => {
    repo.git('clone', '-q', '--bare', '.', '../bare.git');
    expect(await take('HEAD', path.join(repo.base, 'bare.git'))).toMatchObject({ digest, branch: 'main' });
    repo.git('worktree', 'add', '-q', '--detach', '../tree');
    expect(await digestOf('HEAD', path.join(repo.base, 'tree'))).toBe(digest);
    repo.git('gc', '-q', '--prune=now');
    expect(repo.git('count-objects')).toMatch(/^0 objects/);
    expect(await digestOf()).toBe(digest);
    const modern = await TestRepository.create('--object-format=sha256');
    await modern.commit(FILES);
    const snapshot = await take('HEAD', modern.folder);
    expect([snapshot.digest, snapshot.commit?.length]).toEqual([digest, 64]);
    await modern.remove();
  });

  test('whatever the repository configures: line endings, filters, hooks, attributes, file modes', async () => {
    const marker = path.join(repo.base, 'ran');
    const program = `sh -c 'touch ${marker}; cat'`;
    for (const [key, value] of Object.entries({
      'core.autocrlf': 'true',
      'core.eol': 'crlf',
      'core.fileMode': 'false',
      'core.quotePath': 'true',
      'core.precomposeUnicode': 'true',
      'core.worktree': repo.base,
      'core.pager': program,
      'core.fsmonitor': program,
      'filter.evil.clean': program,
      'filter.evil.smudge': program,
      'diff.evil.textconv': program,
      'log.showSignature': 'true',
      'gpg.program': marker,
      'i18n.logOutputEncoding': 'ISO-8859-1',
      'i18n.commitEncoding': 'ISO-8859-1',
      'alias.ls-tree': `!${program}`,
    }))
      repo.git('config', key, value);
    await writeFile(path.join(repo.folder, '.git/info/attributes'), '* filter=evil diff=evil text eol=crlf\n');
    await mkdir(path.join(repo.folder, '.git/hooks'), { recursive: true });
    for (const hook of ['post-checkout', 'pre-commit', 'reference-transaction', 'post-index-change'])
      await writeFile(path.join(repo.folder, '.git/hooks', hook), `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 });
    expect(await take()).toMatchObject({ digest, author: 'Ada Ä <ada@example.com>' });
    await expect(rm(marker)).rejects.toThrow('ENOENT');
  });

  test('whatever refs/replace says that an object should be', async () => {
    repo.git('replace', repo.blob('name: a\n'), repo.blob('name: replaced\n'));
    expect(await digestOf()).toBe(digest);
  });
});

describe('the digest of a commit differs', () => {
  test.each<[string, (root: string) => Promise<unknown>]>([
    ['a content', (root) => writeFile(path.join(root, 'dags/a.yaml'), 'name: b\n')],
    ['line endings', (root) => writeFile(path.join(root, 'dags/a.yaml'), 'name: a\r\n')],
    ['an executable bit', (root) => chmod(path.join(root, 'dags/sub/b.py'), 0o755)],
    ['a new empty file', (root) => writeFile(path.join(root, 'dags/empty'), '')],
    ['a removed file', (root) => rm(path.join(root, 'dags/z ü.txt'))],
  ])('for %s', async (_what, change) => {
    await repo.commit(FILES);
    const before = await digestOf();
    await change(repo.folder);
    await repo.commit({});
    expect(await digestOf()).not.toBe(before);
  });

  test('for any two trees that differ in a path, a mode or a content, and for no others', async () => {
    const file = fc.tuple(
      fc.constantFrom('a', 'b.yaml', 'd/x', 'd/e/x', 'ü'),
      fc.constantFrom('100644', '100755'),
      fc.constantFrom('', 'x', 'y', '"]}'),
    );
    const tree = fc.uniqueArray(file, { minLength: 1, maxLength: 4, selector: ([name]) => name });
    const commitOf = (files: [string, string, string][]): string => {
      repo.run(['read-tree', '--empty']);
      for (const [name, mode, content] of files)
        repo.git('update-index', '--add', '--cacheinfo', `${mode},${repo.blob(content)},dags/${name}`);
      return repo.git('commit-tree', '-m', 'x', repo.git('write-tree'));
    };
    const canonical = (files: [string, string, string][]) => JSON.stringify([...files].sort());
    await fc.assert(
      fc.asyncProperty(tree, tree, async (a, b) => {
        const [left, right] = [await digestOf(commitOf(a)), await digestOf(commitOf(b))];
        expect(left === right).toBe(canonical(a) === canonical(b));
      }),
      { numRuns: 12 },
    );
  });
});

describe('a commit is refused by name', () => {
  let blob: string;
  beforeEach(() => {
    blob = repo.blob('name: a\n');
  });
  const LINK = '120000';
  const FILE = '100644';

  test.each<[string, () => [string, string | Buffer, string][], string]>([
    ['a symbolic link', () => [[LINK, 'link', repo.blob('/etc/passwd')]], 'dags/link is a symbolic link'],
    ['a link to itself', () => [[LINK, 'loop', repo.blob('loop')]], 'dags/loop is a symbolic link'],
    ['a submodule', () => [['160000', 'sub', '1'.repeat(40)]], 'dags/sub is a submodule'],
    [
      'an LFS pointer',
      () => [[FILE, 'model.bin', repo.blob('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n')]],
      'dags/model.bin is a pointer of Git LFS, not the file itself',
    ],
    ['a way up', () => [['40000', '..', repo.tree([[FILE, 'x', blob]])]], 'dags/../x holds the segment ".."'],
    ['a slash in a name', () => [[FILE, '../../x', blob]], 'dags/../../x holds the segment ".."'],
    ['an absolute name', () => [[FILE, '/etc/x', blob]], 'dags//etc/x is absolute'],
    [
      '.git',
      () => [['40000', '.git', repo.tree([[FILE, 'config', blob]])]],
      'dags/.git/config holds the segment ".git", which git would take for its own',
    ],
    ['.GIT', () => [[FILE, '.GIT', blob]], 'dags/.GIT holds the segment ".GIT", which git would take for its own'],
    ['git~1', () => [[FILE, 'GIT~1', blob]], 'dags/GIT~1 holds the segment "GIT~1", which git would take for its own'],
    [
      '.git as HFS reads it',
      () => [[FILE, '.g\u200cit', blob]],
      'dags/.g\ufffdit holds the segment ".g\u200cit", which git would take for its own',
    ],
    [
      '.git as NTFS reads it',
      () => [[FILE, '.git::$INDEX_ALLOCATION', blob]],
      'dags/.git::$INDEX_ALLOCATION holds the segment ".git::$INDEX_ALLOCATION", which git would take for its own',
    ],
    ['a line break', () => [[FILE, 'a\nb', blob]], 'dags/a\ufffdb holds a control character'],
    ['an escape sequence', () => [[FILE, '\u001b[2J', blob]], 'dags/\ufffd[2J holds a control character'],
    ['text that turns round', () => [[FILE, 'a\u202eyp.x', blob]], 'dags/a\ufffdyp.x holds a control character'],
    ['a backslash', () => [[FILE, 'a\\b', blob]], 'dags/a\\b holds a backslash'],
    ['a drive', () => [[FILE, 'C:x', blob]], 'dags/C:x is absolute'],
    [
      'bytes that are not UTF-8',
      () => [[FILE, Buffer.from([0x61, 0xff]), blob]],
      'dags/a\ufffd has a name that is not UTF-8',
    ],
    [
      'names that differ by case',
      () => [
        [FILE, 'Train.py', blob],
        [FILE, 'train.py', blob],
      ],
      'dags/train.py differs from "Train.py" only by case or Unicode form',
    ],
    [
      'folders that differ by case',
      () => [
        ['40000', 'Lib', repo.tree([[FILE, 'x', blob]])],
        ['40000', 'lib', repo.tree([[FILE, 'y', blob]])],
      ],
      'dags/lib/y differs from "Lib" only by case or Unicode form',
    ],
    [
      'names that differ by Unicode form',
      () => [
        [FILE, 'u\u0308', blob],
        [FILE, '\u00fc', blob],
      ],
      'dags/\u00fc differs from "u\u0308" only by case or Unicode form',
    ],
    [
      'a name twice',
      () => [
        [FILE, 'x', blob],
        [FILE, 'x', blob],
      ],
      'dags/x is listed twice',
    ],
    [
      'a name that is file and folder',
      () => [
        [FILE, 'x', blob],
        [FILE, 'x/y', blob],
      ],
      'dags/x/y is a file and a folder',
    ],
    [
      'a content that is not there',
      () => [[FILE, 'x', '2'.repeat(40)]],
      'dags/x has a content that this repository lacks (a partial or damaged clone)',
    ],
    [
      'a very long name',
      () => [[FILE, 'x'.repeat(300), blob]],
      `dags/${'x'.repeat(195)}… holds a segment longer than 255 characters`,
    ],
  ])('%s', async (_what, entries, expected) => {
    const { code, said, hints } = await refusal(take(repo.commitTree(repo.tree(entries()))));
    expect({ code, said }).toEqual({ code: 'bad_request', said: [expected] });
    expect(hints.every((hint) => hint.length > 10)).toBe(true);
  });

  test.each<[string, () => string, RegExp]>([
    ['a link', () => repo.commitTree(repo.blob('/etc'), '120000'), /dags is a symbolic link, not a folder/],
    ['a submodule', () => repo.commitTree('1'.repeat(40), '160000'), /dags is a submodule, not a folder/],
    ['a file', () => repo.commitTree(blob, '100644'), /dags is a file, not a folder/],
  ])('dags itself when it is %s', async (_what, commit, expected) => {
    const { code, said } = await refusal(take(commit()));
    expect([code, said[0]]).toEqual(['bad_request', expect.stringMatching(expected)]);
  });

  test('with all that is wrong at once, up to twenty', async () => {
    const many = Array.from({ length: 50 }, (_, i) => [LINK, `l${String(i).padStart(2, '0')}`, blob] as const);
    const { said } = await refusal(take(repo.commitTree(repo.tree([[FILE, '.git', blob], ...many]))));
    expect(said.length).toBe(20);
    expect(said.slice(0, 2)).toEqual([expect.stringContaining('.git'), 'dags/l00 is a symbolic link']);
  });

  test('by limits, before any content is read', async () => {
    await repo.commit({ 'dags/a': 'x'.repeat(100), 'dags/b': 'y'.repeat(60), 'dags/c': 'z' });
    // Contents that cannot be read any more are no hindrance to a refusal.
    const refused = (limits: object) => refusal(snapshotCommit({ repository: repo.folder, ref: 'HEAD', limits }));
    expect((await refused({ fileBytes: 99 })).said).toEqual(['dags/a has 100 bytes; at most 99 fit']);
    expect((await refused({ totalBytes: 159 })).said).toEqual(['dags holds more than 159 bytes']);
    expect((await refused({ files: 2 })).said).toEqual(['dags holds more than 2 files']);
    expect(
      (
        await snapshotCommit({
          repository: repo.folder,
          ref: 'HEAD',
          limits: { files: 3, fileBytes: 100, totalBytes: 161 },
        })
      ).files,
    ).toHaveLength(3);
  });

  test('by its folders, when it is a bomb of trees within trees', async () => {
    let tree = repo.tree([]);
    for (let level = 0; level < 12; level++)
      tree = repo.tree(Array.from({ length: 10 }, (_, i) => ['40000', `d${i}`, tree] as const));
    const started = performance.now();
    expect((await refusal(take(repo.commitTree(tree)))).said).toEqual(['dags holds more than 200000 folders']);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('of a damaged object store', async () => {
    await repo.commit({ 'dags/a.yaml': 'name: a\n' });
    const loose = path.join(repo.folder, '.git/objects', blob.slice(0, 2), blob.slice(2));
    const other = repo.blob('name: b\n');
    await rm(loose);
    await symlink(path.join(repo.folder, '.git/objects', other.slice(0, 2), other.slice(2)), loose);
    expect((await refusal(take())).code).toBe('conflict');
  });

  test('when a partial clone would have to fetch it, without running what its remote names', async () => {
    const marker = path.join(repo.base, 'ran');
    await repo.commit({ 'dags/a.yaml': 'name: a\n' });
    repo.git('config', 'remote.origin.url', `ext::sh -c touch% ${marker}`);
    repo.git('config', 'remote.origin.promisor', 'true');
    repo.git('config', 'extensions.partialClone', 'origin');
    repo.git('config', 'core.repositoryFormatVersion', '1');
    repo.git('config', 'protocol.ext.allow', 'always');
    await rm(path.join(repo.folder, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    const { said } = await refusal(take());
    expect(said[0]).toMatch(/lacks|cannot be read|git failed/);
    await expect(rm(marker)).rejects.toThrow('ENOENT');
  });
});

describe('what does not exist', () => {
  test.each([
    ['a ref', 'nope', /has no commit "nope"/],
    ['a ref that looks like an option', '--output=/tmp/x', /has no commit "--output=\/tmp\/x"/],
    ['a ref with a line break', 'a\nb', /has no commit/],
    ['nothing', '', /has no commit ""/],
    ['a tree', 'HEAD^{tree}', /has no commit/],
  ])('%s is not found', async (_what, ref, expected) => {
    await repo.commit(FILES);
    const { code, said } = await refusal(take(ref));
    expect([code, said[0]]).toEqual(['not_found', expect.stringMatching(expected)]);
  });

  test('a folder without git, without dags, a folder that is not there, and git itself are told apart', async () => {
    expect(await refusal(take('HEAD', repo.base))).toMatchObject({
      code: 'not_found',
      said: [expect.stringContaining('is in no git repository')],
    });
    await repo.commit({ 'README.md': 'x' });
    expect(await refusal(take())).toMatchObject({
      code: 'not_found',
      said: [expect.stringMatching(/has no folder dags\//)],
    });
    expect(await refusal(take('HEAD', path.join(repo.base, 'nowhere')))).toMatchObject({ code: 'unavailable' });
    const without = snapshotCommit({ repository: repo.folder, ref: 'HEAD', searchPath: repo.base });
    expect(await refusal(without)).toMatchObject({
      code: 'unavailable',
      said: [expect.stringContaining('git is not in')],
    });
  });
});
