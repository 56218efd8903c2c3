import { createHash, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '#core';

/** Contents by their SHA-256, one file each. */
export class Blobs {
  readonly #folder: string;
  /** Sizes of contents that are there. */
  readonly #known = new Map<string, number>();
  readonly #folders = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** True when it is there with that size; asked once per content. */
  has(sha256: string, bytes: number): boolean {
    const known = this.#known.get(sha256);
    if (known !== undefined) return known === bytes;
    // A write cut off by a power failure leaves another size; then the content is written again.
    if (statSync(this.#file(sha256), { throwIfNoEntry: false })?.size !== bytes) return false;
    this.#known.set(sha256, bytes);
    return true;
  }

  /** Asks the disk again about everything. */
  forget(): void {
    this.#known.clear();
    this.#folders.clear();
  }

  async put(sha256: string, content: Buffer): Promise<void> {
    if (this.has(sha256, content.length)) return;
    const file = this.#file(sha256);
    const temporary = `${file}.${randomBytes(4).toString('hex')}`;
    await this.#makeFolder(path.dirname(file));
    const handle = await open(temporary, 'wx', 0o444);
    try {
      await handle.writeFile(content);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    this.#known.set(sha256, content.length);
  }

  /** Throws `not_found` when it is missing, `conflict` when its content is not what its name says. */
  async get(sha256: string): Promise<Buffer> {
    const file = this.#file(sha256);
    const content = await readFile(file).catch((cause: unknown) => {
      throw new SluiceError('not_found', `The release store lacks ${file}.`, {
        hint: 'Restore it, or create the release again.',
        cause,
      });
    });
    if (createHash('sha256').update(content).digest('hex') === sha256) return content;
    this.#known.delete(sha256);
    throw new SluiceError('conflict', `${file} in the release store is damaged.`, {
      hint: 'Remove that file, then create the release again.',
    });
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    await mkdir(folder, { recursive: true });
    this.#folders.add(folder);
  }

  #file(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new SluiceError('bad_request', `"${sha256}" is not a SHA-256.`);
    return path.join(this.#folder, sha256.slice(0, 2), sha256);
  }
}
