import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ObjectStore, relativeSegments, type StoredObject } from '#core';

const SLICE = 500;

/** Opens a folder (absolute) as a store of contents. */
export function folderObjects(folder: string): ObjectStore {
  return new FolderObjects(folder);
}

/** Contents as read-only files of a folder, which is made when first written to. Any number of processes may share it. */
export class FolderObjects implements ObjectStore {
  readonly name: string;

  /** `folder` is absolute. */
  constructor(folder: string) {
    this.name = folder;
  }

  get(key: string): Promise<Buffer | null> {
    return readFile(this.#file(key)).catch(nullIfMissing);
  }

  async put(key: string, content: Buffer | string): Promise<void> {
    const file = this.#file(key);
    const temporary = `${file}.${randomBytes(4).toString('hex')}`;
    const create = () => open(temporary, 'wx', 0o444);
    const made = await create().catch(nullIfMissing);
    if (made === null) await mkdir(path.dirname(file), { recursive: true });
    const handle = made ?? (await create());
    try {
      await handle.writeFile(content);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  }

  /** With plain system calls: through the thread pool ten thousand of them would take five times as long. */
  async sizes(keys: readonly string[]): Promise<readonly (number | null)[]> {
    const sizes: (number | null)[] = [];
    for (const [index, key] of keys.entries()) {
      if (index % SLICE === SLICE - 1) await nextTurn();
      sizes.push(statSync(this.#file(key), { throwIfNoEntry: false })?.size ?? null);
    }
    return sizes;
  }

  /** Files that are just being written are among them. */
  async list(folder: string): Promise<readonly StoredObject[]> {
    const found: StoredObject[] = [];
    for (const name of ((await readdir(this.#file(folder), { recursive: true }).catch(nullIfMissing)) ?? []).sort()) {
      const key = `${folder}/${name.split(path.sep).join('/')}`;
      const stats = await stat(this.#file(key)).catch(nullIfMissing);
      if (stats?.isFile()) found.push({ key, bytes: stats.size, changedAt: stats.mtimeMs });
    }
    return found;
  }

  async remove(key: string): Promise<void> {
    await rm(this.#file(key), { force: true });
  }

  #file(key: string): string {
    return path.join(this.name, ...relativeSegments(key));
  }
}

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
