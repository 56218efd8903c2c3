import { type Problem, SluiceError } from '#core';
import { contentDigest } from './content-digest.ts';
import type { ReleaseFile } from './hashed-files.ts';
import { MAX_PROBLEMS, refusal, shownName } from './list-commit.ts';
import { byCodeUnit } from './list-files.ts';
import type { SizeLimits } from './release-limits.ts';
import { NameClashes, releasePathOffence, steeringOffence } from './release-path.ts';
import type { Snapshot } from './snapshot.ts';

/** What somebody says that a commit holds; its contents are in the store already. Nothing of it is believed. */
export interface UploadedRelease {
  readonly commit: string;
  readonly branch: string | null;
  readonly author: string | null;
  readonly message: string | null;
  readonly files: readonly ReleaseFile[];
}

/** Sorted by path. Throws `bad_request` with everything that a release cannot hold (at most MAX_PROBLEMS of it). */
export function checkUploaded(files: readonly ReleaseFile[], limits: SizeLimits): readonly ReleaseFile[] {
  const problems: Problem[] = [];
  const refuse = (file: string, message: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push({ file: shownName(`dags/${file}`), line: 1, column: 1, message });
  };
  const clashes = new NameClashes();
  let total = 0;
  for (const { path, bytes, sha256 } of files) {
    const oddity = releasePathOffence(path) ?? steeringOffence(path) ?? clashes.add(path);
    if (oddity !== null) refuse(path, oddity);
    if (!/^[0-9a-f]{64}$/.test(sha256)) refuse(path, 'has no SHA-256');
    if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > limits.fileBytes)
      refuse(path, `has ${bytes} bytes; at most ${limits.fileBytes} fit`);
    total += bytes;
  }
  if (files.length === 0) refuse('', 'holds no file');
  if (files.length > limits.files) refuse('', `holds ${files.length} files; at most ${limits.files} fit`);
  if (total > limits.totalBytes) refuse('', `holds ${total} bytes; at most ${limits.totalBytes} fit`);
  const [first] = problems;
  if (first === undefined) return [...files].sort((a, b) => byCodeUnit(a.path, b.path));
  throw refusal({ ...first, hint: 'A release holds plain files with portable names.' }, problems);
}

/** The upload as if it had been read from a folder; `read` gives a content of the store. */
export function snapshotOfUploaded(
  uploaded: UploadedRelease,
  files: readonly ReleaseFile[],
  texts: ReadonlyMap<string, string>,
  read: (sha256: string) => Promise<Buffer>,
): Snapshot {
  const { commit, branch, author, message } = uploaded;
  return {
    digest: contentDigest(files),
    files,
    texts,
    ...{ commit, branch, author, message, dirty: false },
    read: (file) => read(file.sha256),
  };
}

/** Throws `invalid_config` when there are any; the first thousand go along. */
export function refuseProblems(problems: Readonly<Record<string, readonly Problem[]>>): void {
  const all = Object.values(problems).flat();
  if (all.length === 0) return;
  const files = Object.keys(problems).length;
  throw new SluiceError(
    'invalid_config',
    `This cannot become a release: ${all.length} ${all.length === 1 ? 'problem' : 'problems'} in ${files} ${files === 1 ? 'file' : 'files'} of the commit.`,
    {
      hint: '`sluice validate` shows them before a commit.',
      details: { problems: all.slice(0, 1000).map((one) => ({ ...one, file: `dags/${one.file}` })) },
    },
  );
}
