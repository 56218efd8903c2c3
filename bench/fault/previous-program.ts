import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { PROGRAM_ROOT } from '../../apps/standalone/standalone-fixture.ts';

const run = promisify(execFile);
const MIGRATIONS = 'libs/store/migrations';

export interface PreviousProgram {
  /** Built, like the project's own. */
  readonly folder: string;
  readonly commit: string;
  /** Files of migrations that it does not know. */
  readonly unknown: readonly string[];
  remove(): Promise<void>;
}

/** How far back it is looked for. */
const COMMITS = 400;

/**
 * The program of the newest commit that knows all migrations but the last, built in a worktree of git. Where branches
 * brought several, it is the one that knows most. Needs the history.
 */
export async function buildPreviousProgram(): Promise<PreviousProgram> {
  const all = await migrationsOf('HEAD');
  let [commit, known]: [string, readonly string[]] = ['', []];
  for (const each of (await git('rev-list', `--max-count=${COMMITS}`, 'HEAD')).split('\n')) {
    const its = await migrationsOf(each);
    if (its.length < all.length && its.length > known.length) [commit, known] = [each, its];
    if (known.length === all.length - 1) break;
  }
  const folder = path.join(await mkdtemp(path.join(tmpdir(), 'sluice-previous-')), 'program');
  await git('worktree', 'add', '--detach', folder, commit);
  await symlink(path.join(PROGRAM_ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  await run(process.execPath, [path.join(folder, 'scripts', 'build.mjs'), '--server'], { cwd: folder });
  return {
    ...{ folder, commit, unknown: all.filter((file) => !known.includes(file)) },
    remove: async () => {
      await git('worktree', 'remove', '--force', folder);
      await rm(path.dirname(folder), { recursive: true, force: true });
    },
  };
}

async function migrationsOf(commit: string): Promise<readonly string[]> {
  return (await git('ls-tree', '--name-only', commit, `${MIGRATIONS}/`)).split('\n').filter(Boolean);
}

async function git(...args: string[]): Promise<string> {
  return (await run('git', ['-C', PROGRAM_ROOT, ...args])).stdout.trim();
}
