import { createHash } from 'node:crypto';
import { SluiceError } from '#core';
import { MANIFEST, OURS } from './root-folder.ts';
import type { S3Root } from './s3-seal.ts';
import { manifestKey, versionUri } from './version-key.ts';

/** `<location>/_sluice.json`: which version people and other tools should read. */
interface Pointer {
  readonly format: 1;
  readonly location: string;
  readonly version: string;
  readonly fence: number;
  /** `s3://…/`: where its files and its manifest are. */
  readonly at: string;
}

/**
 * Shows a version at its location: a small object that names it, or none. What a link is in a folder (see `project`),
 * with the same rule: every offer is kept by its fence until a higher one is shown; each process shows the highest, and
 * looks again afterwards. An empty offer is one to show nothing.
 */
export async function pointOnS3(root: S3Root, location: string, version: string | null, fence: number): Promise<void> {
  const { at, objects, cache } = root;
  at.location(location); // refuses what is reserved or leaves the root
  if (version !== null) await cache.manifest(version);
  const offers = `${OURS}/pointers/${createHash('sha256').update(location).digest('hex').slice(0, 40)}`;
  await objects.put(`${offers}/${fence}`, version ?? '');
  for (;;) {
    const fences = await offered(root, offers);
    const best = Math.max(...fences);
    const offer = await objects.get(`${offers}/${best}`);
    // Gone: somebody showed a higher one and removed this since the listing.
    if (offer === null) continue;
    const text = textOf(root, location, offer.toString('utf8'), best);
    if ((await shown(root, location)) === text) {
      for (const lower of fences) if (lower < best) await objects.remove(`${offers}/${lower}`);
      return;
    }
    if (text === null) await objects.remove(`${location}/${MANIFEST}`);
    else await objects.put(`${location}/${MANIFEST}`, text);
  }
}

function textOf({ objects }: S3Root, location: string, version: string, fence: number): string | null {
  if (version === '') return null;
  const pointer: Pointer = { format: 1, location, version, fence, at: versionUri(objects, version) };
  return `${JSON.stringify(pointer)}\n`;
}

async function offered({ objects }: S3Root, offers: string): Promise<number[]> {
  const keys = (await objects.list(offers)).map(({ key }) => key.slice(offers.length + 1));
  return keys.filter((name) => /^\d+$/.test(name)).map(Number);
}

async function shown({ objects }: S3Root, location: string): Promise<string | null> {
  const key = `${location}/${MANIFEST}`;
  const text = (await objects.get(key))?.toString('utf8') ?? null;
  if (text === null || isPointer(text)) return text;
  throw new SluiceError(
    'conflict',
    `${objects.name}/${key} is not an object of Sluice, so it is left alone and does not show the newest version.`,
    { hint: 'Move it away; the pointer appears with the next publication.' },
  );
}

function isPointer(text: string): boolean {
  try {
    const { format, version, at } = JSON.parse(text) as Partial<Pointer>;
    return format === 1 && typeof version === 'string' && typeof at === 'string' && at.endsWith(`${version}/`);
  } catch {
    return false;
  }
}

/** Where people find a version's files; throws `not_found` when it is gone. */
export async function addressOnS3({ objects }: S3Root, version: string): Promise<string> {
  const [bytes] = await objects.sizes([manifestKey(version)]);
  if (bytes !== null) return versionUri(objects, version);
  throw new SluiceError('not_found', `Version "${version}" is not in the storage ${objects.name}.`, {
    hint: 'It was removed (garbage collection, or by hand). Run the task that writes it again.',
  });
}
