import { existsSync, mkdirSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from './child/remove-tree.mjs';
import type { ReleaseFolder } from './release-folders.ts';
import { resultFiles } from './result-files.ts';

/**
 * An attempt's working directory: empty but for links to the release's top-level entries, so that relative paths and
 * imports work while writes stay here. Made and (when the task left nothing) removed with plain system calls: through
 * the thread pool each would cost five times as much.
 */
export class Scratch {
  readonly folder: string;
  readonly #links: readonly string[];

  constructor(folder: string, release: ReleaseFolder) {
    this.folder = folder;
    this.#links = release.entries;
    mkdirSync(folder, { mode: 0o700 });
    for (const name of release.entries) symlinkSync(join(release.folder, name), join(folder, name));
  }

  /** Removes the folder and the result files beside it; never throws. */
  async remove(): Promise<void> {
    const files = resultFiles(this.folder);
    try {
      for (const name of this.#links) unlinkSync(join(this.folder, name));
      rmdirSync(this.folder);
    } catch {
      // The task left files (or took links away): remove the tree without blocking anybody.
      await removeTree(this.folder);
    }
    for (const file of [files.output, files.metrics, files.summary]) {
      if (existsSync(file)) await removeTree(file);
    }
  }
}
