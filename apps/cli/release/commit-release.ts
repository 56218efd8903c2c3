import { isAbsolute, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { SluiceError } from '#core';
import type { Snapshot } from '#release';
import type { Cli } from '../cli.ts';
import { findProject } from '../project/project.ts';

export interface CommitOptions {
  readonly ref: string;
  readonly commit?: string;
  readonly repo?: string;
}

export function withCommit(command: Command): Command {
  return command
    .addOption(new Option('--ref <ref>', 'branch, tag or commit').default('HEAD'))
    .addOption(new Option('--commit <ref>', 'the same as --ref').conflicts('ref'))
    .option('--repo <folder>', 'the repository, or a project inside one; without it the project of this folder');
}

/** Loads the compiler's libraries with it: only commands that need them pay for that. */
export async function takeSnapshot(cli: Cli, { ref, commit, repo }: CommitOptions): Promise<Snapshot> {
  const { snapshotCommit } = await import('#release');
  const { cwd, env } = cli.io;
  // Relative parts of PATH would find programs in the repository itself.
  const searchPath = env.PATH?.split(':').filter(isAbsolute).join(':');
  const repository = repo === undefined ? await projectOf(cwd) : resolve(cwd, repo);
  const taken = snapshotCommit({ repository, ref: commit ?? ref, ...(searchPath ? { searchPath } : {}) });
  return taken.catch((error: unknown) => {
    // A link or a huge file in dags/ is an author's mistake, not one of the command line.
    if (!(error instanceof SluiceError) || error.code !== 'bad_request') throw error;
    throw new SluiceError('invalid_config', error.message, { hint: error.hint, details: error.details, cause: error });
  });
}

/** A bare repository has no dags/ to be found. */
async function projectOf(cwd: string): Promise<string> {
  return findProject(cwd).then(
    ({ root }) => root,
    () => cwd,
  );
}
