import { randomBytes } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import type { ManifestAbout, OutputBinding, PublishedVersion, Staged } from '#core';
import { createManifest } from './manifest.ts';
import { MANIFEST, type RootFolder } from './root-folder.ts';
import { hashStagedFiles } from './staged-files.ts';
import { stagedOutput } from './stage.ts';

/**
 * Turns what was staged into immutable versions. All outputs are checked and hashed before the first is moved, so a bad
 * file in one publishes none. A version nobody points to (we were killed in between) is garbage, never a half result.
 */
export async function seal(at: RootFolder, staged: Staged, about: ManifestAbout): Promise<readonly PublishedVersion[]> {
  const stagingRoot = at.staging(path.basename(staged.root));
  const ready = [];
  for (const output of staged.writes) ready.push(await prepare(at, stagingRoot, output, about));
  for (const { from, to } of ready) {
    await mkdir(path.dirname(to), { recursive: true });
    await rename(from, to);
    if (at.durable) await syncFolder(path.dirname(to));
  }
  return ready.map(({ published }) => published);
}

async function prepare(at: RootFolder, stagingRoot: string, output: OutputBinding, about: ManifestAbout) {
  at.location(output.location); // refuses reserved and escaping locations before anything is written
  const from = stagedOutput(stagingRoot, output.variable);
  const { files, folders } = await hashStagedFiles(from, output.name, at.durable);
  const manifest = createManifest(about, output.location, files);
  const handle = await open(path.join(from, MANIFEST), 'wx', 0o444);
  try {
    await handle.writeFile(`${JSON.stringify(manifest)}\n`);
    if (at.durable) await handle.datasync();
  } finally {
    await handle.close();
  }
  if (at.durable) for (const folder of folders) await syncFolder(folder);
  const version = `${output.location}/v${about.fence}-${randomBytes(8).toString('hex')}`;
  const published: PublishedVersion = {
    name: output.name,
    location: output.location,
    version,
    manifestHash: manifest.hash,
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
  };
  return { from, to: at.version(version), published };
}

/** Makes names in a folder survive a power cut. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
