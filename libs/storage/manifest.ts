import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type ManifestAbout, SluiceError } from '#core';
import { MANIFEST } from './root-folder.ts';

export interface ManifestFile {
  /** Relative to the version folder, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** `_sluice.json` of a version: who wrote it, and every file in it. */
export interface Manifest {
  readonly format: 1;
  readonly release: string;
  readonly pipeline: string;
  readonly run: string;
  readonly task: string;
  readonly mapIndex: number;
  readonly attempt: number;
  readonly fence: number;
  /** Location the version was made for. */
  readonly location: string;
  /** `manifestHash` of `files`. */
  readonly hash: string;
  /** Sorted by path. */
  readonly files: readonly ManifestFile[];
}

/**
 * SHA-256, hex, over paths, sizes and contents only: the same data has the same hash, whichever run, attempt or release
 * wrote it. That is what makes "did this rerun produce the same?" a comparison of two texts.
 */
export function manifestHash(files: readonly ManifestFile[]): string {
  const hash = createHash('sha256').update('sluice-files-1\n');
  for (const file of sorted(files)) hash.update(`${JSON.stringify([file.path, file.bytes, file.sha256])}\n`);
  return hash.digest('hex');
}

export function createManifest(about: ManifestAbout, location: string, files: readonly ManifestFile[]): Manifest {
  return {
    format: 1,
    release: about.release,
    pipeline: about.pipeline,
    run: about.runId,
    task: about.taskId,
    mapIndex: about.mapIndex,
    attempt: about.attempt,
    fence: about.fence,
    location,
    hash: manifestHash(files),
    files: sorted(files),
  };
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest)}\n`;
}

/** Throws `conflict` when the manifest does not describe itself. */
export async function readManifest(folder: string): Promise<Manifest> {
  const file = path.join(folder, MANIFEST);
  return parseManifest(await readFile(file, 'utf8'), file);
}

/** The same for its text; `name` says where it is from. */
export function parseManifest(text: string, name: string): Manifest {
  try {
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.format === 1 && manifest.hash === manifestHash(manifest.files)) return manifest;
  } catch {
    // not JSON: the same answer as for a hash that does not fit
  }
  throw new SluiceError('conflict', `The manifest ${name} is damaged.`, {
    hint: 'Run the task that writes this version again.',
  });
}

function sorted(files: readonly ManifestFile[]): ManifestFile[] {
  return [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}
