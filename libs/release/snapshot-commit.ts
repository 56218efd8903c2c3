import { createHash } from 'node:crypto';
import { type Problem, SluiceError } from '#core';
import { contentDigest } from './content-digest.ts';
import { findCommit } from './find-commit.ts';
import { gitStart, type GitStart } from './git.ts';
import { readBlobs } from './git-objects.ts';
import type { ReleaseFile } from './hashed-files.ts';
import { type CommittedFile, listCommit, refusal } from './list-commit.ts';
import { RELEASE_LIMITS, type SizeLimits } from './release-limits.ts';
import type { Snapshot } from './snapshot.ts';

export interface CommitSnapshotOptions {
  /** Absolute path: the repository's root, a project inside it, or a bare repository. */
  readonly repository: string;
  /** A commit id, branch, tag or anything else that git resolves to a commit. */
  readonly ref: string;
  /** Default `dags`. */
  readonly folder?: string;
  readonly limits?: Partial<SizeLimits>;
  /** Where the program `git` is looked for, in the form of PATH. Default: the usual places. */
  readonly searchPath?: string;
}

const LFS_POINTER = 'version https://git-lfs.github.com/spec/';
/** Contents that are asked for again at once, when they are uploaded or stored. */
const MOST_KEPT = 32 * 1024 * 1024;

/**
 * The folder as a commit holds it, read from git's object store alone: no checkout, no filters, no configuration. Equal
 * content has the same digest as the snapshot of a working tree. Throws `not_found` without that commit or folder, and
 * `bad_request` with `details.problems` for what a release cannot hold, before any content is read where that is possible.
 */
export async function snapshotCommit(options: CommitSnapshotOptions): Promise<Snapshot> {
  const { repository, ref, folder = 'dags', limits, searchPath } = options;
  const git = gitStart(repository, searchPath);
  const { commit, branch, author, message, tree } = await findCommit(git, ref, folder);
  const listed = await listCommit(git, tree, folder, { ...RELEASE_LIMITS, ...limits });
  const { files, texts, kept } = await hashCommitted(git, listed, folder);
  const ids = new Map(listed.map((file) => [file.path, file]));
  return {
    digest: contentDigest(files),
    files,
    texts,
    ...{ commit, branch, author, message, dirty: false },
    read: async (file) => kept.get(file.path) ?? readOne(git, ids.get(file.path), file),
  };
}

async function hashCommitted(git: GitStart, listed: readonly CommittedFile[], folder: string) {
  const files: ReleaseFile[] = [];
  const texts = new Map<string, string>();
  const kept = new Map<string, Buffer>();
  const pointers: Problem[] = [];
  let keptBytes = 0;
  let index = 0;
  for await (const content of readBlobs(git, listed)) {
    const { path, executable, bytes } = listed[index++] as CommittedFile;
    if (content.toString('latin1', 0, LFS_POINTER.length) === LFS_POINTER) pointers.push(pointer(`${folder}/${path}`));
    if (/\.ya?ml$/.test(path)) texts.set(path, content.toString('utf8'));
    files.push({ path, executable, bytes, sha256: createHash('sha256').update(content).digest('hex') });
    if (keptBytes + bytes > MOST_KEPT) continue;
    keptBytes += bytes;
    kept.set(path, Buffer.from(content)); // a copy, because it is a part of a larger buffer
  }
  const [first] = pointers;
  if (first !== undefined) throw refusal(first, pointers);
  return { files, texts, kept };
}

function pointer(file: string): Problem {
  return {
    file,
    line: 1,
    column: 1,
    message: 'is a pointer of Git LFS, not the file itself',
    hint: 'Commit the file itself (`git lfs untrack`), or keep the data in a path.',
  };
}

async function readOne(git: GitStart, committed: CommittedFile | undefined, file: ReleaseFile): Promise<Buffer> {
  if (committed === undefined) throw new SluiceError('not_found', `The commit has no file ${file.path}.`);
  for await (const content of readBlobs(git, [committed])) return content;
  throw new SluiceError('conflict', `${file.path} cannot be read from ${git.cwd} any more.`);
}
