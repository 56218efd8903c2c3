import { execFile } from 'node:child_process';
import { readFile, readlink, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a Postgres server writes about itself into `postmaster.pid`. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** True once it accepts connections. */
  readonly ready: boolean;
}

/** The server that lives on this data folder, or null. A file left by a server that died, or whose number now belongs to another process, counts as none. */
export async function findPostmaster(data: string): Promise<Postmaster | null> {
  const lines = await readLines(data);
  if (lines === null) return null;
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !(await servesFolder(pid, data))) return null;
  return { pid, port: Number(lines[3] ?? 0), ready: (lines[7] ?? '').trim() === 'ready' };
}

/**
 * Makes Postgres accept a stale `postmaster.pid` whose number was reused by an unrelated process. The file is kept,
 * because Postgres also reads from it which shared memory to check for surviving children; only the number is replaced,
 * by ours: Postgres knows that its own parent cannot be the old server.
 */
export async function disownStalePostmaster(data: string): Promise<void> {
  const lines = await readLines(data);
  if (lines === null) return;
  const file = path.join(data, 'postmaster.pid');
  await writeFile(`${file}.new`, [process.pid, ...lines.slice(1)].join('\n'), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** False for processes that ended, zombies that nobody collected included. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return stat === null || !/\) [ZX] /.test(stat);
}

async function readLines(data: string): Promise<string[] | null> {
  const text = await readFile(path.join(data, 'postmaster.pid'), 'utf8').catch(() => null);
  return text === null ? null : text.split('\n');
}

/** A postmaster works in its data folder; where that cannot be read, its command line names that folder. */
async function servesFolder(pid: number, data: string): Promise<boolean> {
  if (!(await isAlive(pid))) return false;
  if (process.platform === 'linux') {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => null);
    if (cwd !== null) return cwd === data;
    // In a container, root may not look at the folder of another user's process, but at its arguments.
    const args = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return args.includes('postgres') && args.split('\0').includes(data);
  }
  const { stdout } = await run('ps', ['-p', String(pid), '-o', 'command=']).catch(() => ({ stdout: '' }));
  return stdout.includes('postgres') && stdout.includes(data);
}
