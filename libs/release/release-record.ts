import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Problem, SluiceError } from '#core';
import type { ReleaseFile } from './hashed-files.ts';

/** What is known of a release without reading its files. */
export interface ReleaseSummary {
  readonly digest: string;
  /** Two words made from the digest. */
  readonly alias: string;
  /** ISO 8601: when it was first stored. */
  readonly createdAt: string;
  readonly commit: string | null;
  readonly branch: string | null;
  readonly author: string | null;
  readonly message: string | null;
  /** True until the same content is stored from a clean commit. */
  readonly dirty: boolean;
}

/** A release's file in the store. Contents and compiled pipelines are blobs. */
export interface ReleaseRecord extends ReleaseSummary {
  readonly format: 1;
  readonly files: readonly ReleaseFile[];
  /** Blobs of the compiled pipelines, some in each. */
  readonly compiled: readonly string[];
  readonly problems: Readonly<Record<string, readonly Problem[]>>;
}

/** One JSON file per release. */
export class ReleaseRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async get(digest: string): Promise<ReleaseRecord | null> {
    const text = await readFile(this.#file(digest), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (text === null) return null;
    const [checksum, body] = [text.slice(0, 64), text.slice(65)];
    if (checksum === checksumOf(body)) return JSON.parse(body) as ReleaseRecord;
    throw new SluiceError('conflict', `${this.#file(digest)} in the release store is damaged.`, {
      hint: 'Remove that file, then create the release again.',
    });
  }

  /** Replaces what is there. */
  async put(record: ReleaseRecord): Promise<void> {
    const file = this.#file(record.digest);
    const temporary = `${file}.${randomBytes(4).toString('hex')}`;
    const body = JSON.stringify(record);
    await mkdir(this.#folder, { recursive: true });
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(`${checksumOf(body)}\n${body}`);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  }

  async remove(digest: string): Promise<void> {
    await rm(this.#file(digest), { force: true });
  }

  async digests(): Promise<readonly string[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names.filter((name) => /^[0-9a-f]{64}$/.test(name));
  }

  #file(digest: string): string {
    if (!/^[0-9a-f]{64}$/.test(digest))
      throw new SluiceError('bad_request', `"${digest}" is not the digest of a release.`, {
        hint: 'A digest has 64 hexadecimal digits.',
      });
    return path.join(this.#folder, digest);
  }
}

function checksumOf(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
