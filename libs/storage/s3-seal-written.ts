import { isDeepStrictEqual } from 'node:util';
import {
  type ManifestAbout,
  type OutputBinding,
  pathOffence,
  type PublishedVersion,
  SluiceError,
  type Staged,
  type StoredObject,
} from '#core';
import { eraseOnS3 } from './erase-version.ts';
import { inLanes } from './in-lanes.ts';
import { createManifest, type Manifest, type ManifestFile, manifestText } from './manifest.ts';
import { MANIFEST, OURS } from './root-folder.ts';
import type { S3Objects } from './s3-objects.ts';
import { isGivenUp } from './s3-uris.ts';
import { publishedAs } from './seal.ts';
import { parentsOf } from './stamped-tree.ts';
import { refusal, reservedName } from './staged-files.ts';
import { manifestKey, versionKey } from './version-key.ts';

const LANES = 8;

/**
 * Makes versions of what the attempt wrote to the bucket itself: every object is read once for its hash, and only when
 * all outputs are good the manifests are written, each of which makes its version whole.
 */
export async function sealWritten(
  objects: S3Objects,
  staged: Staged,
  versions: Readonly<Record<string, string>>,
  about: ManifestAbout,
): Promise<readonly PublishedVersion[]> {
  const ready: { manifest: Manifest; published: PublishedVersion }[] = [];
  for (const output of staged.writes) {
    const version = versions[output.variable]!;
    const manifest = createManifest(about, output.location, await hashWritten(objects, version, output));
    refuseClash(manifest, output);
    ready.push({ manifest, published: publishedAs(output, version, manifest) });
  }
  for (const { manifest, published } of ready)
    await objects.put(manifestKey(published.version), manifestText(manifest));
  if (await isGivenUp(objects, staged)) {
    for (const { published } of ready) await eraseOnS3(objects, published.version);
    throw new SluiceError(
      'conflict',
      `Attempt ${staged.attemptId} was taken for dead, and what it wrote was removed.`,
      { hint: 'It is tried again, as its retries say.' },
    );
  }
  return ready.map(({ published }) => published);
}

async function hashWritten(
  objects: S3Objects,
  version: string,
  output: OutputBinding,
): Promise<readonly ManifestFile[]> {
  const folder = versionKey(version);
  const nameOf = ({ key }: StoredObject): string => key.slice(folder.length + 1);
  // Empty objects that end in a slash are how some programs write a folder.
  const look = async (): Promise<readonly StoredObject[]> =>
    (await objects.list(folder)).filter((object) => !(object.bytes === 0 && /^$|\/$/.test(nameOf(object))));
  const found = await look();
  for (const object of found) refuseName(nameOf(object), output.name);
  const files = await inLanes(LANES, found, async (object) => ({
    path: nameOf(object),
    ...(await objects.hash(object.key)),
  }));
  const again = await look();
  const most = Math.max(found.length, again.length);
  for (let at = 0; at < most; at++) {
    const object = again[at] ?? found[at]!;
    if (!isDeepStrictEqual(found[at], again[at]))
      throw refusal(
        output.name,
        nameOf(object),
        'is still being written',
        'Wait for background processes and jobs before the task ends.',
      );
  }
  return files;
}

function refuseName(name: string, output: string): void {
  if (name === MANIFEST || name.split('/')[0] === OURS) throw reservedName(output, name);
  const offence = pathOffence(name);
  if (offence !== null)
    throw refusal(output, name, offence, 'Write it under a relative path with single forward slashes.');
}

/** A bucket takes `a` beside `a/b`; a folder, in which others read this version, does not. */
function refuseClash(manifest: Manifest, { name }: OutputBinding): void {
  const folders = new Set(parentsOf(manifest));
  const clash = manifest.files.find((file) => folders.has(file.path));
  if (clash !== undefined)
    throw refusal(name, clash.path, 'is the name of a file and of a folder', 'Rename one of them.');
}
