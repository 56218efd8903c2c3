import type { CompiledPipeline, EngineStore, LogStore, Problem, Storage } from '#core';
import type { AppliedEnvironment } from '#engine';
import type { Db } from '#store';
import type { GraphLayouts } from '../graph-layout.ts';

/** Everything reads are assembled from. All of it is looked up per call: a read keeps nothing. */
export interface ReadContext {
  readonly db: Db;
  readonly store: Pick<EngineStore, 'loadTaskRuns' | 'marksOf' | 'pastOf'>;
  readonly catalog: ReleaseCatalog;
  readonly layouts: GraphLayouts;
  readonly now: () => Date;
  readonly environment: (name: string) => AppliedEnvironment | null;
  readonly logsFor: (environment: string) => LogStore;
  readonly storageFor: (
    environment: string,
  ) => { address(version: string): Promise<string> } & Pick<Storage, 'readArtefact'>;
  /** Why the newest working tree is not what the environment runs; empty: it is. */
  readonly treeProblems: (environment: string) => readonly Problem[];
  /** The last progress that a running task run told. */
  readonly progress: (runId: string, taskId: string, mapIndex: number) => Progress | null;
  readonly process: ProcessStatus;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly label: string;
}

export interface ProcessStatus {
  readonly version: string;
  readonly startedAt: Date;
  readonly executor: () => Told | Promise<Told>;
}

/** What releases hold, as far as screens show it; implementations keep it in memory, a release never changes. */
export interface ReleaseCatalog {
  /** All pipeline files of a release, by name. Throws `not_found` for a release that is not there (any more). */
  pipelines(release: string): Promise<readonly CatalogPipeline[]>;
  /** Digests of its files by path. Throws the same. */
  files(release: string): Promise<ReadonlyMap<string, string>>;
}

export interface CatalogPipeline {
  readonly name: string;
  /** Path inside `dags/`. */
  readonly file: string;
  readonly source: string;
  /** Null: the file is broken, and `problems` says why. */
  readonly pipeline: CompiledPipeline | null;
  readonly problems: readonly Problem[];
}

interface Told {
  readonly kind: string;
  readonly capacity: number;
  readonly running: number;
}
