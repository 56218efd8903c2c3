import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '#core';
import type { GitStart } from './git.ts';
import { gitFailed, noGit } from './git-objects.ts';
import { shownName } from './list-commit.ts';

export interface FoundCommit {
  readonly commit: string;
  /** When the ref is a branch, or HEAD stands on one. */
  readonly branch: string | null;
  /** `Ada Lovelace <ada@example.com>`. */
  readonly author: string;
  /** First line of the commit message. */
  readonly message: string;
  /** Git's id of the folder's tree. */
  readonly tree: string;
}

const MAX_TEXT = 500;

/**
 * Resolves a ref to a commit, and finds the folder in it. `git.cwd` is the root of a repository, a project inside one,
 * or a bare repository. Throws `not_found` for what is not there, `bad_request` when the folder is no folder.
 */
export async function findCommit(git: GitStart, ref: string, folder: string): Promise<FoundCommit> {
  const found = await say(git, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]);
  if (found === null) throw await unknownRef(git, ref);
  const commit = found.trim();
  const [branch, about, tree] = await Promise.all([
    branchOf(git, ref),
    say(git, ['log', '-1', '--no-show-signature', '--encoding=UTF-8', '--format=%an <%ae>%x00%s%x00', commit, '--']),
    treeOf(git, commit, folder),
  ]);
  const [author = '', message = ''] = (about ?? '').split('\0').map((text) => shownName(text).slice(0, MAX_TEXT));
  return { commit, branch, author, message, tree };
}

async function branchOf(git: GitStart, ref: string): Promise<string | null> {
  const name =
    ref === 'HEAD'
      ? await say(git, ['symbolic-ref', '--quiet', 'HEAD'])
      : await say(git, ['rev-parse', '--verify', '--quiet', '--symbolic-full-name', '--end-of-options', ref]);
  return /^refs\/(?:heads|remotes\/[^/]+)\/(\S+)$/m.exec(name ?? '')?.[1] ?? null;
}

async function treeOf(git: GitStart, commit: string, folder: string): Promise<string> {
  const at = path.posix.join(await placeInRepository(git.cwd), folder);
  const entry = await say(git, ['ls-tree', '-z', '--full-tree', commit, '--', at]);
  const [, mode, id] = /^(\d+) \w+ ([0-9a-f]+)\t/.exec(entry ?? '') ?? [];
  if (mode === undefined || id === undefined)
    throw new SluiceError('not_found', `Commit ${commit.slice(0, 12)} has no folder ${at}/.`, {
      hint: '`sluice init` makes one, with an example; commit it.',
    });
  if (mode === '040000') return id;
  const what = mode === '120000' ? 'a symbolic link' : mode === '160000' ? 'a submodule' : 'a file';
  throw new SluiceError('bad_request', `In commit ${commit.slice(0, 12)} ${at} is ${what}, not a folder.`, {
    hint: 'Commit the folder itself.',
  });
}

/** Where a project lies in its repository. Not asked from git, whose answer the repository's configuration can change. */
async function placeInRepository(folder: string): Promise<string> {
  const real = await realpath(folder);
  for (let at = real; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, '.git'))) return path.relative(at, real).split(path.sep).join('/');
    if (path.dirname(at) === at) return '';
  }
}

async function unknownRef(git: GitStart, ref: string): Promise<SluiceError> {
  if ((await say(git, ['rev-parse', '--git-dir'])) === null)
    return new SluiceError('not_found', `${git.cwd} is in no git repository that git can read.`, {
      hint: 'Name its folder with --repo, or run `git init`.',
    });
  return new SluiceError('not_found', `${git.cwd} has no commit ${JSON.stringify(shownName(ref))}.`, {
    hint: 'Use a branch, a tag or a commit id. In a shallow or single-branch clone, fetch it first.',
  });
}

/** What git answers, null when it says no. Throws `unavailable` without git. */
function say(git: GitStart, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const options = { cwd: git.cwd, env: { ...git.env }, timeout: 60_000, maxBuffer: 16 * 1024 * 1024 };
    execFile('git', [...git.args, ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (error.code === 'ENOENT') reject(noGit(git, error));
      else if (typeof error.code === 'number') resolve(null);
      else reject(gitFailed(git, stderr || error.message));
    });
  });
}
