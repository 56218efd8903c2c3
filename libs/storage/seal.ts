import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import type { ManifestAbout, OutputBinding, PublishedVersion, Staged } from '#core';
import { createManifest, type Manifest, manifestText } from './manifest.ts';
import { MANIFEST, type RootFolder } from './root-folder.ts';
import { hashStagedFiles } from './staged-files.ts';
import { stagedOutput } from './stage.ts';
import { newVersion } from './version-key.ts';

/**
 * Turns what was staged into immutable versions. All outputs are checked and hashed before the first is moved, so a bad
 * file in one publishes none. A version nobody points to (we were killed in between) is garbage, never a half result.
 */
export async function seal(at: RootFolder, staged: Staged, about: ManifestAbout): Promise<readonly PublishedVersion[]> {
  const ready = await prepareOutputs(at, staged, about);
  for (const { from, to } of ready) {
    await mkdir(path.dirname(to), { recursive: true });
    await rename(from, to);
    if (at.durable) await syncFolder(path.dirname(to));
  }
  return ready.map(({ published }) => published);
}

/** A staged output that was checked and hashed; its manifest is in it. */
export interface ReadyOutput {
  readonly from: string;
  /** Folder of the version below this root. */
  readonly to: string;
  readonly manifest: Manifest;
  readonly published: PublishedVersion;
}

/** Checks and hashes every output and gives it a version; throws before anything is moved. */
export async function prepareOutputs(
  at: RootFolder,
  staged: Staged,
  about: ManifestAbout,
): Promise<readonly ReadyOutput[]> {
  const stagingRoot = at.staging(path.basename(staged.root));
  const ready = [];
  for (const output of staged.writes) ready.push(await prepare(at, stagingRoot, output, about));
  return ready;
}

async function prepare(
  at: RootFolder,
  stagingRoot: string,
  output: OutputBinding,
  about: ManifestAbout,
): Promise<ReadyOutput> {
  at.location(output.location); // refuses reserved and escaping locations before anything is written
  const from = stagedOutput(stagingRoot, output.variable);
  const { files, folders } = await hashStagedFiles(from, output.name, at.durable);
  const manifest = createManifest(about, output.location, files);
  const handle = await open(path.join(from, MANIFEST), 'wx', 0o444);
  try {
    await handle.writeFile(manifestText(manifest));
    if (at.durable) await handle.datasync();
  } finally {
    await handle.close();
  }
  if (at.durable) for (const folder of folders) await syncFolder(folder);
  const version = newVersion(output.location, about.fence);
  return { from, to: at.version(version), manifest, published: publishedAs(output, version, manifest) };
}

/** What is told of a version with that manifest. */
export function publishedAs(
  { name, location }: OutputBinding,
  version: string,
  { hash, files }: Manifest,
): PublishedVersion {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { name, location, version, manifestHash: hash, files: files.length, bytes };
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
