import type { CompiledPipeline } from '#core';
import { SluiceError } from '#core';
import type { Pipelines } from '#engine';
import type { CatalogPipeline, ReleaseCatalog } from './reads/read-context.ts';
import type { ReleaseStore, StoredRelease } from '#release';

/** Compiled pipelines by release; releases never change, so what was read once is kept. */
export class ReleasePipelines implements Pipelines, ReleaseCatalog {
  readonly #releases = new Map<string, Promise<StoredRelease>>();
  readonly #byName = new WeakMap<StoredRelease, Map<string, CompiledPipeline>>();

  constructor(private readonly store: ReleaseStore) {}

  async get(release: string, pipeline: string): Promise<CompiledPipeline | null> {
    const stored = await this.release(release);
    const known = this.#byName.get(stored) ?? new Map(stored.pipelines.map((item) => [item.name, item]));
    this.#byName.set(stored, known);
    return known.get(pipeline) ?? null;
  }

  async all(release: string): Promise<readonly CompiledPipeline[]> {
    return (await this.release(release)).pipelines;
  }

  /** Digests, by path, of every file that is not a pipeline's. */
  async files(release: string): Promise<ReadonlyMap<string, string>> {
    const { files, sources } = await this.release(release);
    return new Map(
      files
        .filter(({ path }) => !Object.hasOwn(sources, path))
        .map(({ path, sha256, executable }) => [path, `${executable ? 'x' : '-'}${sha256}`]),
    );
  }

  /** For screens: every pipeline file, broken ones included. */
  async pipelines(release: string): Promise<readonly CatalogPipeline[]> {
    const stored = await this.release(release);
    const byFile = new Map(stored.pipelines.map((pipeline) => [pipeline.file, pipeline]));
    const sources = Object.entries(stored.sources);
    // Parts, tests and plugins are no pipelines; they are shown only where nothing else shows that they are broken.
    const shown = sources.filter(([file]) => byFile.has(file) || stored.problems[file] !== undefined);
    return shown.map(([file, source]) => {
      const pipeline = byFile.get(file) ?? null;
      return {
        name: pipeline?.name ?? file.replace(/\.ya?ml$/, ''),
        file,
        source,
        pipeline,
        problems: stored.problems[file] ?? [],
      };
    });
  }

  /** Throws `not_found` when the release's files are gone. */
  release(digest: string): Promise<StoredRelease> {
    const known = this.#releases.get(digest);
    if (known) return known;
    if (this.#releases.size >= 50) this.#releases.delete(this.#releases.keys().next().value as string);
    const loading = this.store.get(digest).then((stored) => {
      if (stored) return stored;
      throw new SluiceError('not_found', `Release ${digest.slice(0, 12)} is not in the release store.`, {
        hint: 'Restore the folder `releases` of SLUICE_HOME, or point the environment at another release.',
      });
    });
    this.#releases.set(digest, loading);
    loading.catch(() => this.#releases.delete(digest));
    return loading;
  }
}
