import { SluiceError, type CompiledPipeline, type Problem } from '#core';
import type { Project } from './project.ts';

/** `dags/` as the next release would hold it; names are relative to `dags/`. */
export interface CompiledProject {
  /** Digest of the release. */
  readonly release: string;
  /** Texts of all YAML files, those of `tests/` included, sorted by name. */
  readonly texts: ReadonlyMap<string, string>;
  /** Paths of all files. */
  readonly files: ReadonlySet<string>;
  readonly pipelines: readonly CompiledPipeline[];
  /** Only files that have some. */
  readonly problems: Readonly<Record<string, readonly Problem[]>>;
}

/** Snapshots and compiles `dags/` by the functions that make releases, so that what is checked here is what will run. */
export async function compileProject({ root }: Project): Promise<CompiledProject> {
  // Loads zod and the expression language: only commands that need them pay for that.
  const { compileRelease, snapshotFolder } = await import('#release');
  try {
    const snapshot = await snapshotFolder({ repository: root });
    const { pipelines, problems } = compileRelease(snapshot);
    const files = new Set(snapshot.files.map(({ path }) => path));
    return { release: snapshot.digest, texts: snapshot.texts, files, pipelines, problems };
  } catch (error) {
    // A link or a huge file in dags/ is an author's mistake, not one of the command line.
    if (error instanceof SluiceError && error.code === 'bad_request')
      throw new SluiceError('invalid_config', error.message, { hint: error.hint, cause: error });
    throw error;
  }
}
