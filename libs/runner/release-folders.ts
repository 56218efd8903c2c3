import { readdirSync } from 'node:fs';
import type { ReleaseFiles } from '#core';

/** An unpacked release. */
export interface ReleaseFolder {
  readonly folder: string;
  /**
   * Top-level names that working directories link to. Not the pipeline files: there may be hundreds, their links would
   * cost more than the attempt, and a task that wants to read one finds it in the release's own folder.
   */
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
    return { folder, entries: readdirSync(folder).filter((name) => !/\.ya?ml$/.test(name)) };
  }
}
