import { randomBytes } from 'node:crypto';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import {
  type InputBinding,
  type PinnedVersion,
  relativeSegment,
  SluiceError,
  type Staged,
  type StageRequest,
  type Storage,
} from '#core';
import { contained } from './contained.ts';
import { type Manifest, readManifest } from './manifest.ts';
import type { RootFolder } from './root-folder.ts';
import { versionFolder } from './version-folder.ts';

/** The local folder of a version whose manifest has that hash; see `pinnedFolder`. */
export type OpenVersion = (read: InputBinding, pinned: PinnedVersion) => Promise<string>;

/** Makes an attempt's staging area: an empty folder per output, and a folder (or a folder of links) per input. */
export async function stage(
  at: RootFolder,
  { attemptId, reads, writes, elsewhere }: StageRequest,
  openHere: OpenVersion,
  root: string = stagingFolder(at, attemptId),
): Promise<Staged> {
  const others = new Set<Pick<Storage, 'release'>>();
  const open: OpenVersion = (read, pinned) => {
    if (pinned.environment === undefined || elsewhere === undefined) return openHere(read, pinned);
    const other = elsewhere(pinned.environment);
    others.add(other);
    return other.pinned(read, pinned, root);
  };
  const releaseElsewhere = (): void => others.forEach((other) => other.release(root));
  try {
    await mkdir(root, { recursive: true });
    const folders: Record<string, string> = {};
    for (const { variable } of writes) {
      folders[variable] = stagedOutput(root, variable);
      await mkdir(folders[variable], { recursive: true });
    }
    for (const read of reads) folders[read.variable] = await stageInput(root, read, open);
    return { attemptId, root, folders, writes, releaseElsewhere };
  } catch (error) {
    releaseElsewhere();
    throw error;
  }
}

/** A folder nobody else has. The random part: a database that was made anew counts attempts from 1 again. */
export function stagingFolder(at: RootFolder, attemptId: string): string {
  return at.staging(`${relativeSegment(attemptId)}-${randomBytes(6).toString('hex')}`);
}

/** Where the output of that variable is staged. */
export function stagedOutput(stagingRoot: string, variable: string): string {
  return contained(stagingRoot, `out/${variable}`);
}

async function stageInput(stagingRoot: string, read: InputBinding, open: OpenVersion): Promise<string> {
  const [first] = read.versions;
  if (read.versions.length === 1 && first?.link === null) return open(read, first);
  const folder = contained(stagingRoot, `in/${read.variable}`);
  await mkdir(folder, { recursive: true });
  await Promise.all(
    read.versions.map(async (pinned) => {
      if (pinned.link === null)
        throw new SluiceError('internal', `Input "${read.name}" has several versions, and one of them has no name.`);
      const link = contained(folder, pinned.link);
      const target = await open(read, pinned);
      if (path.dirname(link) !== folder) await mkdir(path.dirname(link), { recursive: true });
      await symlink(target, link);
    }),
  );
  return folder;
}

/** The version's folder; throws `not_found` when it is gone, `conflict` when it is not the one that was pinned. */
export async function pinnedFolder(at: RootFolder, read: InputBinding, pinned: PinnedVersion): Promise<string> {
  const folder = await versionFolder(at, pinned.version);
  checkPinned(await readManifest(folder), read, pinned);
  return folder;
}

export function checkPinned({ hash }: Pick<Manifest, 'hash'>, read: InputBinding, pinned: PinnedVersion): void {
  if (hash === pinned.manifestHash) return;
  throw new SluiceError(
    'conflict',
    `Input "${read.name}": version "${pinned.version}" is not the one that was pinned.`,
    {
      hint: `Its manifest was changed after it was published. Run the task that writes ${pinned.location} again.`,
      details: { expected: pinned.manifestHash, found: hash },
    },
  );
}
