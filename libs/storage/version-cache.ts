import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '#core';
import { contained } from './contained.ts';
import { inLanes } from './in-lanes.ts';
import { type Manifest, manifestText, parseManifest, readManifest } from './manifest.ts';
import { removeTree, removeTrees } from './remove-tree.ts';
import { MANIFEST, OURS, type RootFolder } from './root-folder.ts';
import type { S3Objects } from './s3-objects.ts';
import { isUntouched, parentsOf, stampTree } from './stamped-tree.ts';
import { changedSince } from './sweep-staging.ts';
import { manifestKey, versionKey } from './version-key.ts';

const LANES = 8;
/** A copy used this recently stays, however full the cache is. */
const YOUNG_MS = 60_000;
/** A download that made no progress for so long belongs to a process that is gone. */
const STALLED_MS = 10 * 60_000;

export interface VersionCacheOptions {
  /** Where the copies lie on this machine. */
  readonly at: RootFolder;
  readonly objects: S3Objects;
  /** Copies past this are removed, the longest unused first; those in use stay. */
  readonly maxBytes: number;
}

export interface CachedVersion {
  /** Absolute, read-only. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/**
 * This machine's copies of versions in a bucket. A copy appears whole, each file's content checked against the manifest;
 * one that was touched since is made anew.
 */
export class VersionCache {
  readonly #options: VersionCacheOptions;
  readonly #opening = new Map<string, Promise<CachedVersion>>();
  /** Versions in use, by who uses them. */
  readonly #held = new Map<string, Set<string>>();
  #addedBytes = 0;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: VersionCacheOptions) {
    this.#options = options;
  }

  /**
   * The version's folder here, downloaded at need. It stays until `release(holder)`; without a holder it stays a while.
   * `check` sees the manifest before anything is downloaded. Throws `not_found` when the version is gone.
   */
  async open(
    version: string,
    { holder, check }: { holder?: string; check?: (manifest: Manifest) => void } = {},
  ): Promise<CachedVersion> {
    if (holder !== undefined) this.#held.set(holder, (this.#held.get(holder) ?? new Set()).add(version));
    let opening = this.#opening.get(version);
    if (opening === undefined) {
      opening = this.#open(version, check).finally(() => this.#opening.delete(version));
      this.#opening.set(version, opening);
    }
    const cached = await opening;
    check?.(cached.manifest);
    return cached;
  }

  release(holder: string): void {
    this.#held.delete(holder);
  }

  /** Keeps what was just uploaded, so that the next reader on this machine downloads nothing. */
  async adopt(from: string, version: string, manifest: Manifest): Promise<void> {
    const to = this.#options.at.version(version);
    await stampTree(from);
    await mkdir(path.dirname(to), { recursive: true });
    await rename(from, to);
    this.#added(manifest);
  }

  /** Removes leftovers of dead downloads, and copies past the limit. One after the other. */
  sweep(now: number = Date.now()): Promise<void> {
    const swept = this.#sweeping.then(async () => {
      try {
        await this.#removeStalled(now);
      } finally {
        await this.#shrink(now);
      }
    });
    this.#sweeping = swept.catch(() => undefined); // told to whoever asked for it
    return swept;
  }

  async #open(version: string, check?: (manifest: Manifest) => void): Promise<CachedVersion> {
    const folder = this.#options.at.version(version);
    const known = await readManifest(folder).catch(() => null);
    if (known !== null && (await isUntouched(folder, known))) {
      const now = new Date();
      // What was used longest ago is removed first.
      await utimes(path.join(folder, MANIFEST), now, now);
      return { folder, manifest: known };
    }
    const manifest = await this.manifest(version);
    check?.(manifest);
    await this.#download(version, manifest, folder);
    return { folder, manifest };
  }

  /** As it is in the bucket. */
  async manifest(version: string): Promise<Manifest> {
    const { objects } = this.#options;
    const text = await objects.get(manifestKey(version));
    if (text !== null) return parseManifest(text.toString('utf8'), `${objects.name}/${manifestKey(version)}`);
    throw new SluiceError('not_found', `Version "${version}" is not in the storage ${objects.name}.`, {
      hint: 'It was removed (garbage collection, or by hand). Run the task that writes it again.',
    });
  }

  async #download(version: string, manifest: Manifest, folder: string): Promise<void> {
    const { at, objects } = this.#options;
    const fresh = at.incoming(`new-${randomBytes(8).toString('hex')}`);
    try {
      await mkdir(fresh, { recursive: true });
      for (const parent of parentsOf(manifest)) await mkdir(contained(fresh, parent), { recursive: true });
      await inLanes(LANES, manifest.files, async (file) => {
        const target = contained(fresh, file.path);
        const { executable } = await objects.getFile(versionKey(version, file.path), target, file);
        await chmod(target, executable ? 0o555 : 0o444);
      });
      await writeFile(path.join(fresh, MANIFEST), manifestText(manifest), { flag: 'wx', mode: 0o444 });
      await stampTree(fresh);
      await mkdir(path.dirname(folder), { recursive: true });
      await this.#replace(folder, fresh);
      this.#added(manifest);
    } finally {
      await removeTree(fresh);
    }
  }

  /** A copy that was touched steps aside first: a folder cannot be renamed over one that is not empty. */
  async #replace(folder: string, fresh: string): Promise<void> {
    const aside = this.#options.at.incoming(`old-${randomBytes(8).toString('hex')}`);
    const hadOne = await rename(folder, aside).then(() => true, unlessMissing);
    await rename(fresh, folder);
    if (hadOne) await removeTree(aside);
  }

  /** Looks for copies to remove as soon as a tenth of the limit has come in. */
  #added({ files }: Manifest): void {
    this.#addedBytes += files.reduce((sum, { bytes }) => sum + bytes, 0);
    if (this.#addedBytes < this.#options.maxBytes / 10) return;
    this.#addedBytes = 0;
    void this.sweep().catch(() => undefined); // the next regular sweep tells
  }

  async #removeStalled(now: number): Promise<void> {
    const incoming = path.dirname(this.#options.at.incoming('x'));
    const stalled: string[] = [];
    for (const name of await readdir(incoming).catch(() => [])) {
      const folder = path.join(incoming, name);
      if (!(await changedSince(folder, now - STALLED_MS))) stalled.push(folder);
    }
    await removeTrees(stalled);
  }

  async #shrink(now: number): Promise<void> {
    const { at, maxBytes } = this.#options;
    const copies = await copiesBelow(path.join(at.root, OURS, 'versions'), '');
    let bytes = copies.reduce((sum, copy) => sum + copy.bytes, 0);
    for (const copy of copies.sort((a, b) => a.usedAt - b.usedAt)) {
      if (bytes <= maxBytes) return;
      const aside = at.incoming(`old-${randomBytes(8).toString('hex')}`);
      await mkdir(path.dirname(aside), { recursive: true });
      if (copy.usedAt > now - YOUNG_MS || this.#inUse(copy.version)) continue;
      // At once: nobody can begin to use it between the question and the rename.
      renameSync(at.version(copy.version), aside);
      await removeTree(aside);
      bytes -= copy.bytes;
    }
  }

  #inUse(version: string): boolean {
    return this.#opening.has(version) || [...this.#held.values()].some((versions) => versions.has(version));
  }
}

interface Copy {
  readonly version: string;
  readonly bytes: number;
  readonly usedAt: number;
}

async function copiesBelow(folder: string, version: string): Promise<Copy[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  if (entries.some(({ name }) => name === MANIFEST)) return copyAt(folder, version);
  const found: Copy[] = [];
  for (const entry of entries)
    if (entry.isDirectory())
      found.push(
        ...(await copiesBelow(path.join(folder, entry.name), version === '' ? entry.name : `${version}/${entry.name}`)),
      );
  return found;
}

async function copyAt(folder: string, version: string): Promise<Copy[]> {
  const file = path.join(folder, MANIFEST);
  try {
    const { files } = JSON.parse(await readFile(file, 'utf8')) as Manifest;
    return [{ version, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), usedAt: (await stat(file)).mtimeMs }];
  } catch {
    // Damaged or just being replaced: whoever opens it next makes it anew.
    return [];
  }
}

function unlessMissing(error: NodeJS.ErrnoException): false {
  if (error.code === 'ENOENT') return false;
  throw error;
}
