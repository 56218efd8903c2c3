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
} from '#core';
import { contained } from './contained.ts';
import { readManifest } from './manifest.ts';
import type { RootFolder } from './root-folder.ts';
import { versionFolder } from './version-folder.ts';

/** Makes an attempt's staging area: an empty folder per output, and a folder (or a folder of links) per input. */
export async function stage(at: RootFolder, { attemptId, reads, writes }: StageRequest): Promise<Staged> {
  // The random part: a database that was made anew counts attempts from 1 again.
  const root = at.staging(`${relativeSegment(attemptId)}-${randomBytes(6).toString('hex')}`);
  await mkdir(root, { recursive: true });
  const folders: Record<string, string> = {};
  for (const { variable } of writes) {
    folders[variable] = stagedOutput(root, variable);
    await mkdir(folders[variable], { recursive: true });
  }
  for (const read of reads) folders[read.variable] = await stageInput(at, root, read);
  return { attemptId, root, folders, writes };
}

/** Where the output of that variable is staged. */
export function stagedOutput(stagingRoot: string, variable: string): string {
  return contained(stagingRoot, `out/${variable}`);
}

async function stageInput(at: RootFolder, stagingRoot: string, read: InputBinding): Promise<string> {
  const [first] = read.versions;
  if (read.versions.length === 1 && first?.link === null) return pinnedFolder(at, read, first);
  const folder = contained(stagingRoot, `in/${read.variable}`);
  await mkdir(folder, { recursive: true });
  await Promise.all(
    read.versions.map(async (pinned) => {
      if (pinned.link === null)
        throw new SluiceError('internal', `Input "${read.name}" has several versions, and one of them has no name.`);
      const link = contained(folder, pinned.link);
      const target = await pinnedFolder(at, read, pinned);
      if (path.dirname(link) !== folder) await mkdir(path.dirname(link), { recursive: true });
      await symlink(target, link);
    }),
  );
  return folder;
}

async function pinnedFolder(at: RootFolder, read: InputBinding, pinned: PinnedVersion): Promise<string> {
  const folder = await versionFolder(at, pinned.version);
  const { hash } = await readManifest(folder);
  if (hash !== pinned.manifestHash)
    throw new SluiceError(
      'conflict',
      `Input "${read.name}": version "${pinned.version}" is not the one that was pinned.`,
      {
        hint: `Its manifest was changed after it was published. Run the task that writes ${pinned.location} again.`,
        details: { expected: pinned.manifestHash, found: hash },
      },
    );
  return folder;
}
