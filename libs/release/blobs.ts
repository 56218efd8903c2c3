import { createHash } from 'node:crypto';
import { type ObjectStore, SluiceError } from '#core';

export interface StoredContent {
  readonly sha256: string;
  readonly bytes: number;
}

/** Where contents lie below the store's root. */
export const BLOBS = 'blobs';

/** Contents by their SHA-256, one object each. */
export class Blobs {
  readonly #objects: ObjectStore;
  /** Sizes of contents that are there: each is asked for once. */
  readonly #known = new Map<string, number>();

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  /** Those that are not there with that size, in their order. */
  async missing<T extends StoredContent>(contents: readonly T[]): Promise<readonly T[]> {
    const unknown = contents.filter(({ sha256 }) => !this.#known.has(sha256));
    const sizes = await this.#objects.sizes(unknown.map(({ sha256 }) => keyOf(sha256)));
    for (const [index, { sha256, bytes }] of unknown.entries())
      // A write cut off by a power failure leaves another size; then the content is written again.
      if (sizes[index] === bytes) this.#known.set(sha256, bytes);
    return contents.filter(({ sha256, bytes }) => this.#known.get(sha256) !== bytes);
  }

  /** Asks the store again about everything. */
  forget(): void {
    this.#known.clear();
  }

  /** Keeps a content that `missing` has just named. */
  async add(sha256: string, content: Buffer): Promise<void> {
    await this.#objects.put(keyOf(sha256), content);
    this.#known.set(sha256, content.length);
  }

  /** Keeps a content unless it is there. */
  async put(sha256: string, content: Buffer): Promise<void> {
    const [missing] = await this.missing([{ sha256, bytes: content.length }]);
    if (missing !== undefined) await this.add(sha256, content);
  }

  /** Throws `not_found` when it is missing, `conflict` when its content is not what its name says. */
  async get(sha256: string): Promise<Buffer> {
    const key = keyOf(sha256);
    const content = await this.#objects.get(key);
    if (content === null)
      throw new SluiceError('not_found', `The release store lacks ${this.#objects.name}/${key}.`, {
        hint: 'Restore it, or create the release again.',
      });
    if (createHash('sha256').update(content).digest('hex') === sha256) return content;
    this.#known.delete(sha256);
    throw new SluiceError('conflict', `${this.#objects.name}/${key} in the release store is damaged.`, {
      hint: 'Remove it, then create the release again.',
    });
  }
}

function keyOf(sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new SluiceError('bad_request', `"${sha256}" is not a SHA-256.`);
  return `${BLOBS}/${sha256.slice(0, 2)}/${sha256}`;
}
