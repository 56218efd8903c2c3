import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const USUAL_PLACES = [path.dirname(process.execPath), '/usr/local/bin', '/opt/homebrew/bin', '/usr/bin', '/bin'].join(
  path.delimiter,
);

/**
 * Nothing a repository (or a user) configures may run a program or change what is listed: no hooks, no file system
 * monitor, no filters (nothing here reads content through git), no pager, no prompt, no other configuration files.
 */
const SAFE = ['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'core.untrackedCache=false', 'protocol.allow=never'];

/** How to start git in a folder: never through a shell, with an environment and settings of our own. */
export interface GitStart {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** For a program that reads streams; `searchPath` is where programs are found. */
export function gitStart(repository: string, searchPath: string = USUAL_PLACES): GitStart {
  // The folder's owner may be another user (root in a checkout of somebody): what git would guard against is off anyway.
  const settings = [...SAFE, 'safe.directory=*'].flatMap((setting) => ['-c', setting]);
  return {
    args: ['--no-pager', '--no-optional-locks', ...settings],
    cwd: repository,
    env: {
      PATH: searchPath,
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_LITERAL_PATHSPECS: '1',
      // An object is what its id says, not what refs/replace/ puts in its place.
      GIT_NO_REPLACE_OBJECTS: '1',
      // A partial clone would fetch what it lacks, by any program that its remote names; protocol.ext.allow of the
      // repository would outdo protocol.allow, this outdoes both.
      GIT_NO_LAZY_FETCH: '1',
      GIT_ALLOW_PROTOCOL: 'none',
    },
  };
}

/** Output of `git <args>`; null when git is missing, the folder is in no repository, or git says no (an unborn branch). */
export type Git = (args: readonly string[]) => Promise<Buffer | null>;

/** Git in that folder. Arguments are passed as they are, never through a shell. `searchPath` is where programs are found. */
export function gitIn(repository: string, searchPath: string = USUAL_PLACES): Git {
  const { args: always, cwd, env } = gitStart(repository, searchPath);
  const options = { cwd, env, encoding: 'buffer' as const, maxBuffer: 256 * 1024 * 1024, timeout: 60_000 };
  return async (args) => {
    try {
      return (await run('git', [...always, ...args], options)).stdout;
    } catch (error) {
      const { code } = error as { code?: string | number };
      if (code === 'ENOENT' || typeof code === 'number') return null;
      throw error;
    }
  };
}

/** Records of `-z` output. A name that is not UTF-8 gets replacement characters, and is refused later by that. */
export function records(output: Buffer): string[] {
  return output.toString('utf8').split('\0').slice(0, -1);
}
