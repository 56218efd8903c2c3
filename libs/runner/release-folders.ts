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

/** The names in so many releases are remembered. */
const REMEMBERED = 100;

/** Opens releases. The folder is asked for each time: it may have been changed, or removed and made again. */
export class ReleaseFolders {
  readonly #files: ReleaseFiles;
  /** By digest: releases never change, and an attempt in a warm process must not wait for a disk. */
  readonly #entries = new Map<string, readonly string[]>();

  constructor(files: ReleaseFiles) {
    this.#files = files;
  }

  async open(digest: string): Promise<ReleaseFolder> {
    const folder = await this.#files.folder(digest);
    return { folder, entries: this.#entries.get(digest) ?? this.#read(digest, folder) };
  }

  #read(digest: string, folder: string): readonly string[] {
    const entries = readdirSync(folder).filter((name) => !/\.ya?ml$/.test(name));
    this.#entries.set(digest, entries);
    if (this.#entries.size > REMEMBERED) this.#entries.delete(this.#entries.keys().next().value!);
    return entries;
  }
}
