import { createHash } from 'node:crypto';
import { mkdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '#core';
import { gitStart } from './git.ts';
import { type GitAccess, remoteGit } from './git-access.ts';
import { shownName } from './list-commit.ts';
import { asGitUrl, hostOf } from './remote-url.ts';
import { type GitAnswer, runGit } from './run-git.ts';
import { snapshotCommit } from './snapshot-commit.ts';
import type { Snapshot } from './snapshot.ts';

export interface RemoteMirrorOptions {
  /** Folder that holds all mirrors; made when needed. */
  readonly folder: string;
  /** As `parseRemoteRef` returns it. */
  readonly remote: string;
  readonly access: GitAccess;
  readonly signal?: AbortSignal;
}

/** A ref as the remote has it now. */
export interface RemoteHead {
  readonly commit: string;
  /** `refs/heads/main`. */
  readonly fullRef: string;
}

const ASK_MS = 20_000;
const FETCH_MS = 180_000;

/**
 * A bare copy of a remote repository, from which releases are made. Every method throws `unavailable` while the remote
 * does not answer, `not_found` for a ref that it has not. Calls for one remote must follow one another.
 */
export class RemoteMirror {
  /** The bare repository. */
  readonly repository: string;

  constructor(private readonly options: RemoteMirrorOptions) {
    this.repository = path.join(options.folder, mirrorName(options.remote));
  }

  /** Asks the remote; nothing is fetched. */
  async head(ref: string): Promise<RemoteHead> {
    await this.#open();
    const names = ref.startsWith('refs/') ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];
    const asked = [...names, ...names.map((name) => `${name}^{}`)];
    const answer = await this.#git(['ls-remote', '--quiet', '--', asGitUrl(this.options.remote), ...asked], ASK_MS);
    if (answer.code !== 0) throw this.#silent(answer);
    const found = new Map(
      answer.out.split('\n').flatMap((line) => {
        const [, commit, name] = /^([0-9a-f]{40}|[0-9a-f]{64})\t(.+)$/.exec(line) ?? [];
        return commit === undefined || name === undefined ? [] : [[name, commit] as const];
      }),
    );
    for (const fullRef of names) {
      // An annotated tag is an object of its own; what it stands for is listed behind it.
      const commit = found.get(`${fullRef}^{}`) ?? found.get(fullRef);
      if (commit !== undefined) return { commit, fullRef };
    }
    throw new SluiceError('not_found', `${this.options.remote} has no branch or tag ${ref}.`, {
      hint: 'Push it, or follow another with `sluice env set ENVIRONMENT --follow REPO#BRANCH`.',
    });
  }

  /** Brings the ref here; the commit it stands for, which may be newer than the one `head` told. */
  async fetch(fullRef: string): Promise<string> {
    await this.#open();
    const where = asGitUrl(this.options.remote);
    const how = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--force'];
    const answer = await this.#git(['fetch', ...how, '--', where, `+${fullRef}:${fullRef}`], FETCH_MS);
    if (answer.code !== 0) throw this.#silent(answer);
    // How long ago it was used: see collectMirrors.
    const now = new Date();
    await utimes(this.repository, now, now);
    const parsed = await this.#git(['rev-parse', '--verify', '--end-of-options', `${fullRef}^{commit}`], ASK_MS);
    if (parsed.code === 0) return parsed.out.trim();
    throw new SluiceError('not_found', `${fullRef} of ${this.options.remote} is no commit.`);
  }

  /** What a release of that ref holds, as it was fetched last. See `snapshotCommit` for what is refused. */
  snapshot(fullRef: string, folder = 'dags'): Promise<Snapshot> {
    const { searchPath } = this.options.access;
    return snapshotCommit({ repository: this.repository, ref: fullRef, folder, ...(searchPath ? { searchPath } : {}) });
  }

  async #open(): Promise<void> {
    if (await stat(path.join(this.repository, 'HEAD')).catch(() => null)) return;
    await mkdir(this.options.folder, { recursive: true, mode: 0o700 });
    // The owner of a folder that is followed may be another user; git serves it without running anything of it.
    await writeFile(this.#globalConfig, '[safe]\n\tdirectory = *\n', { mode: 0o600 });
    const made = `${this.repository}.${process.pid}.new`;
    await rm(made, { recursive: true, force: true });
    const start = gitStart(this.options.folder, this.options.access.searchPath);
    const answer = await runGit(start, ['init', '--quiet', '--bare', '--template=', made], { timeoutMs: ASK_MS });
    if (answer.code !== 0) throw new SluiceError('unavailable', `git cannot make ${made}: ${reason(answer)}`);
    // Whole or not at all; another process may have been first.
    await rename(made, this.repository).catch(() => rm(made, { recursive: true, force: true }));
  }

  get #globalConfig(): string {
    return path.join(this.options.folder, 'gitconfig');
  }

  #git(args: readonly string[], timeoutMs: number): Promise<GitAnswer> {
    const { remote, access, signal } = this.options;
    return runGit(remoteGit(this.repository, remote, access, this.#globalConfig), args, { timeoutMs, signal });
  }

  #silent(answer: GitAnswer): SluiceError {
    const { remote } = this.options;
    const local = hostOf(remote) === null;
    return new SluiceError('unavailable', `${remote} cannot be read: ${reason(answer)}`, {
      hint: local
        ? 'Name the folder of a repository that the user Sluice runs as may read.'
        : 'Is the address right? Private repositories need SLUICE_GIT_TOKEN and SLUICE_GIT_HOST, or SLUICE_GIT_SSH_KEY, at the server.',
    });
  }
}

function reason({ said, code }: GitAnswer): string {
  const lines = said
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const line = lines.find((one) => one.startsWith('fatal:')) ?? lines[0] ?? `git ended with ${code ?? 'a signal'}`;
  return shownName(line.replace(/^fatal: /, '')).slice(0, 300);
}

/** The folder of a remote's mirror, within the one that holds all. */
export function mirrorName(remote: string): string {
  return `${createHash('sha256').update(remote).digest('hex').slice(0, 16)}.git`;
}

/** How many commits `to` has that `from` has not; null when the repository does not hold both. */
export async function countCommits(
  repository: string,
  from: string,
  to: string,
  searchPath?: string,
): Promise<number | null> {
  if (![from, to].every((commit) => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit))) return null;
  const counted = await runGit(gitStart(repository, searchPath), ['rev-list', '--count', `${from}..${to}`, '--'], {
    timeoutMs: ASK_MS,
  }).catch(() => null);
  return counted?.code === 0 ? Number(counted.out.trim()) : null;
}

/** The newest commit of a local repository's main branch: what `origin` calls its default, else `main`, `master`, HEAD; null: none. */
export async function mainCommit(
  repository: string,
  searchPath?: string,
): Promise<{ readonly commit: string; readonly ref: string } | null> {
  const git = gitStart(repository, searchPath);
  const say = async (args: readonly string[]): Promise<string | null> => {
    const answer = await runGit(git, args, { timeoutMs: ASK_MS }).catch(() => null);
    return answer?.code === 0 ? answer.out.trim() : null;
  };
  const origin = await say(['symbolic-ref', '--quiet', 'refs/remotes/origin/HEAD']);
  const refs = [...(origin === null ? [] : [origin]), 'refs/heads/main', 'refs/heads/master', 'HEAD'];
  for (const ref of refs) {
    const commit = await say(['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]);
    if (commit !== null) return { commit, ref: ref.replace(/^refs\/(?:heads|remotes)\//, '') };
  }
  return null;
}
