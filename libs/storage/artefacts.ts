import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { relativeSegment, type ArtefactKey } from '#core';
import { OURS, type RootFolder } from './root-folder.ts';

/** A file that an attempt left for people is there wholly or not at all. */
export async function writeArtefact(at: RootFolder, key: ArtefactKey, content: Buffer): Promise<void> {
  const file = fileOf(at, key);
  const temporary = path.join(path.dirname(file), `new-${randomBytes(6).toString('hex')}`);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(temporary, content, { flag: 'wx' });
  await rename(temporary, file);
}

export async function readArtefact(at: RootFolder, key: ArtefactKey): Promise<Buffer | null> {
  try {
    return await readFile(fileOf(at, key));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Where it lies in a bucket. */
export function artefactKey({ runId, taskId, mapIndex, number, name }: ArtefactKey): string {
  return [
    OURS,
    'artefacts',
    ...[runId, taskId, mapIndex, number, name].map((part) => relativeSegment(String(part))),
  ].join('/');
}

function fileOf(at: RootFolder, { runId, taskId, mapIndex, number, name }: ArtefactKey): string {
  return path.join(at.artefacts(runId, taskId, mapIndex, number), relativeSegment(name));
}
