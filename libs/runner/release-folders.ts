import { readdirSync } from 'node:fs';
import type { ReleaseFiles } from '#core';

/** Past this many entries, pipeline files at the top are not linked: thousands of links would cost more than the attempt. */
const MANY_ENTRIES = 200;

/** An unpacked release. */
export interface ReleaseFolder {
  readonly folder: string;
  /** Top-level names that working directories link to. */
  readonly entries: readonly string[];
}

/** Opens each release once: releases never change, and an attempt in a warm process must not wait for a disk. */
export class ReleaseFolders {
  readonly #files: ReleaseFiles;
  readonly #opened = new Map<string, Promise<ReleaseFolder>>();

  constructor(files: ReleaseFiles) {
    this.#files = files;
  }

  open(digest: string): Promise<ReleaseFolder> {
    let opened = this.#opened.get(digest);
    if (opened === undefined) {
      opened = this.#open(digest);
      this.#opened.set(digest, opened);
      // What failed may work the next time; whoever waits for this one is told.
      opened.catch(() => this.#opened.delete(digest));
    }
    return opened;
  }

  async #open(digest: string): Promise<ReleaseFolder> {
    const folder = await this.#files.folder(digest);
    const names = readdirSync(folder);
    return { folder, entries: names.length <= MANY_ENTRIES ? names : names.filter((name) => !/\.ya?ml$/.test(name)) };
  }
}
