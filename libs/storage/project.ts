import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '#core';
import { OURS, type RootFolder } from './root-folder.ts';
import { versionFolder } from './version-folder.ts';

/** An offer to show nothing; no version is named so. */
const NOTHING = '.';

/**
 * Shows a version at its location, for people and other tools: a relative link, swapped atomically. Null shows nothing:
 * the link goes. The truth is the pointer in the database; this follows it. `fence` is the pointer's, which rises with
 * each of its moves; what comes with a lower one is ignored. Throws `conflict` when something that is not ours stands
 * there.
 *
 * Every offer is kept as a tiny link named by its fence until a higher one is shown. So several processes need no lock:
 * each shows the highest, and looks again afterwards.
 */
export async function project(at: RootFolder, location: string, version: string | null, fence: number): Promise<void> {
  const link = at.location(location);
  if (version !== null) await versionFolder(at, version);
  const offers = at.pointer(createHash('sha256').update(location).digest('hex').slice(0, 40));
  await mkdir(offers, { recursive: true });
  await replaceLink(offers, version ?? NOTHING, path.join(offers, String(fence)));
  for (;;) {
    const { fences, best } = await highestOffer(offers);
    const target = best.version === NOTHING ? null : path.relative(path.dirname(link), at.version(best.version));
    if ((await shownAt(at, link)) === target) return removeLower(offers, fences, best.fence);
    if (target === null) await rm(link, { force: true });
    else {
      await mkdir(path.dirname(link), { recursive: true });
      await replaceLink(offers, target, link);
    }
  }
}

async function highestOffer(offers: string) {
  for (;;) {
    const fences = (await readdir(offers)).filter((name) => /^\d+$/.test(name)).map(Number);
    const fence = Math.max(...fences);
    const version = await readlink(path.join(offers, String(fence))).catch(() => null);
    // Gone: somebody showed a higher one and removed this since the listing.
    if (version !== null) return { fences, best: { fence, version } };
  }
}

/** What our link at that place points to; null when nothing is there. */
async function shownAt(at: RootFolder, link: string): Promise<string | null> {
  const entry = await lstat(link).catch(() => null);
  if (entry === null) return null;
  const target = entry.isSymbolicLink() ? await readlink(link).catch(() => null) : null;
  const versions = path.join(at.root, OURS, 'versions') + path.sep;
  if (target !== null && path.resolve(path.dirname(link), target).startsWith(versions)) return target;
  throw new SluiceError(
    'conflict',
    `${link} is not a link of Sluice, so it is left alone and does not show the newest version.`,
    {
      hint: 'Move it away; the link appears with the next publication.',
    },
  );
}

/** The temporary link lies beside the offers, so that a kill leaves nothing in the folders that people see. */
async function replaceLink(offers: string, target: string, link: string): Promise<void> {
  const temporary = path.join(offers, `new-${randomBytes(6).toString('hex')}`);
  await symlink(target, temporary);
  await rename(temporary, link);
}

async function removeLower(offers: string, fences: readonly number[], shown: number): Promise<void> {
  for (const fence of fences) if (fence < shown) await rm(path.join(offers, String(fence)), { force: true });
}
