import { createHash } from 'node:crypto';
import { type ObjectStore, type Problem, SluiceError } from '#core';
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

/** A release's object in the store. Contents and compiled pipelines are blobs. */
export interface ReleaseRecord extends ReleaseSummary {
  readonly format: 1;
  readonly files: readonly ReleaseFile[];
  /** Blobs of the compiled pipelines, some in each. */
  readonly compiled: readonly string[];
  readonly problems: Readonly<Record<string, readonly Problem[]>>;
}

const RECORDS = 'releases';

/** One JSON object per release. */
export class ReleaseRecords {
  readonly #objects: ObjectStore;

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  async get(digest: string): Promise<ReleaseRecord | null> {
    const key = keyOf(digest);
    const text = (await this.#objects.get(key))?.toString('utf8');
    if (text === undefined) return null;
    const [checksum, body] = [text.slice(0, 64), text.slice(65)];
    if (checksum === checksumOf(body)) return JSON.parse(body) as ReleaseRecord;
    throw new SluiceError('conflict', `${this.#objects.name}/${key} in the release store is damaged.`, {
      hint: 'Remove it, then create the release again.',
    });
  }

  /** Replaces what is there. */
  async put(record: ReleaseRecord): Promise<void> {
    const body = JSON.stringify(record);
    await this.#objects.put(keyOf(record.digest), `${checksumOf(body)}\n${body}`);
  }

  async remove(digest: string): Promise<void> {
    await this.#objects.remove(keyOf(digest));
  }

  async digests(): Promise<readonly string[]> {
    const names = (await this.#objects.list(RECORDS)).map(({ key }) => key.slice(RECORDS.length + 1));
    return names.filter((name) => /^[0-9a-f]{64}$/.test(name));
  }
}

function keyOf(digest: string): string {
  if (!/^[0-9a-f]{64}$/.test(digest))
    throw new SluiceError('bad_request', `"${digest}" is not the digest of a release.`, {
      hint: 'A digest has 64 hexadecimal digits.',
    });
  return `${RECORDS}/${digest}`;
}

function checksumOf(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
