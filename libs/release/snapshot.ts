import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '#core';
import { contentDigest } from './content-digest.ts';
import { gitIn } from './git.ts';
import { type GitState, readGitState } from './git-state.ts';
import { type HashedFile, hashFiles, type ReleaseFile } from './hashed-files.ts';
import { listFiles } from './list-files.ts';
import { RELEASE_LIMITS, type SizeLimits } from './release-limits.ts';

/** What a folder held at one moment, and where git stood. */
export interface Snapshot {
  /**
   * SHA-256, hex, over paths, executable bits and contents: equal content has an equal digest on every machine, whatever
   * the checkout's path, the umask, time stamps or the order of files. Git's state is recorded beside, not part of it.
   */
  readonly digest: string;
  /** Sorted by path. */
  readonly files: readonly ReleaseFile[];
  /** Texts of `.yaml` and `.yml` files, by path. */
  readonly texts: ReadonlyMap<string, string>;
  readonly commit: string | null;
  readonly branch: string | null;
  readonly author: string | null;
  readonly message: string | null;
  /** True when the content is not exactly the commit's; outside git always. */
  readonly dirty: boolean;
  /** A file's content; throws `conflict` when it is no longer what was hashed. */
  read(file: ReleaseFile): Promise<Buffer>;
}

export interface SnapshotOptions {
  /** Absolute path of the folder that holds `folder`: the repository's root, or a project inside one. */
  readonly repository: string;
  /** Default `dags`. */
  readonly folder?: string;
  readonly limits?: Partial<SizeLimits>;
  /** Where the program `git` is looked for, in the form of PATH. Default: the usual places. */
  readonly searchPath?: string;
}

const MAX_LOOKS = 5;
const MAX_REMEMBERED = 8;

interface Remembered {
  readonly files: ReadonlyMap<string, HashedFile>;
  readonly git: GitState;
  readonly snapshot: Snapshot;
}
/** What the last look at a folder found: a look after a change costs that change. Only a cache. */
const remembered = new Map<string, Remembered>();

/**
 * The working tree as it is now. Files are looked at again after hashing, until nothing changed meanwhile; throws
 * `conflict` when they keep changing, `bad_request` for what a release cannot hold, `not_found` without the folder.
 */
export async function snapshotFolder(options: SnapshotOptions): Promise<Snapshot> {
  const { repository, folder = 'dags' } = options;
  const root = path.join(repository, folder);
  const key = path.resolve(root);
  const before = remembered.get(key) ?? null;
  const runGit = gitIn(repository, options.searchPath);
  const [names, git] = await Promise.all([
    listFiles(runGit, repository, folder),
    readGitState(runGit, folder, before?.git ?? null),
  ]);
  const allowed = { ...RELEASE_LIMITS, ...options.limits };
  if (names.length > allowed.files)
    throw new SluiceError(
      'bad_request',
      `${root} has ${names.length} files; at most ${allowed.files} fit into a release.`,
      {
        hint: 'List data and build output in .gitignore; data belongs into paths, not into the release.',
      },
    );
  const files = await settle(root, names, before?.files ?? new Map(), allowed, git);
  const unchanged = before !== null && before.files === files && before.git === git;
  const snapshot = unchanged ? before.snapshot : createSnapshot(root, files, git, before);
  remembered.delete(key);
  remembered.set(key, { files, git, snapshot });
  if (remembered.size > MAX_REMEMBERED) remembered.delete(remembered.keys().next().value as string);
  return snapshot;
}

function createSnapshot(
  root: string,
  files: ReadonlyMap<string, HashedFile>,
  git: GitState,
  before: Remembered | null,
): Snapshot {
  const { commit, branch, author, message, tree } = git;
  return {
    digest: before !== null && before.files === files ? before.snapshot.digest : contentDigest(files.values()),
    files: [...files.values()],
    texts: textsOf(files),
    ...{ commit, branch, author, message, dirty: isDirty(files, tree) },
    read: (file) => readUnchanged(root, file),
  };
}

function textsOf(files: ReadonlyMap<string, HashedFile>): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { path: name, text } of files.values()) if (text !== null) texts.set(name, text);
  return texts;
}

/** Hashes until a second look finds what the first found. */
async function settle(
  root: string,
  names: readonly string[],
  known: ReadonlyMap<string, HashedFile>,
  limits: SizeLimits,
  git: GitState,
): Promise<ReadonlyMap<string, HashedFile>> {
  const objectFormat = git.commit?.length === 64 ? 'sha256' : 'sha1';
  let files = await hashFiles(root, names, known, limits, objectFormat);
  if (files === known) return files;
  for (let look = 1; look < MAX_LOOKS; look++) {
    const again = await hashFiles(root, names, files, limits, objectFormat);
    if (sameContent(files, again)) return again;
    files = again;
  }
  throw new SluiceError('conflict', `Files in ${root} change faster than they can be read.`, {
    hint: 'Something keeps writing there; list its files in .gitignore.',
  });
}

function sameContent(a: ReadonlyMap<string, HashedFile>, b: ReadonlyMap<string, HashedFile>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [name, file] of b) {
    const other = a.get(name);
    if (other?.sha256 !== file.sha256 || other.executable !== file.executable) return false;
  }
  return true;
}

function isDirty(files: ReadonlyMap<string, HashedFile>, tree: ReadonlyMap<string, string>): boolean {
  if (files.size !== tree.size) return true;
  for (const file of files.values()) if (tree.get(file.path) !== file.gitEntry) return true;
  return files.size === 0;
}

async function readUnchanged(root: string, file: ReleaseFile): Promise<Buffer> {
  const content = await readFile(path.join(root, file.path)).catch(() => null);
  if (content !== null && createHash('sha256').update(content).digest('hex') === file.sha256) return content;
  throw new SluiceError('conflict', `${path.join(root, file.path)} changed while it was read.`, {
    hint: 'Nothing to do: the next look at the folder takes the new content.',
  });
}
