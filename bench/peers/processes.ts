import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';

/** Of the clock of /proc. */
const TICKS_A_SECOND = 100;

/**
 * CPU-seconds of processes since they began, with all that they and theirs started and waited for. What a parent did not
 * wait for counts only while it lives.
 */
export async function cpuSeconds(roots: readonly number[], marker: string): Promise<number> {
  const ticks = (await processesOf(roots, marker)).map(({ fields }) =>
    // of itself, then of the children it waited for
    fields.slice(11, 15).reduce((sum, time) => sum + Number(time), 0),
  );
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_A_SECOND;
}

/** What they hold in memory; pages that several have in common count once. */
export async function memoryMiB(roots: readonly number[], marker: string): Promise<number> {
  let kib = 0;
  for (const { pid } of await processesOf(roots, marker)) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    kib += Number(/^Pss: +(\d+) kB/m.exec(text)?.[1] ?? 0);
  }
  return kib / 1024;
}

/** Ends what was started by the roots, or has the marker in its environment, but for what was started by `spared`. */
export async function killAll(roots: readonly number[], marker: string, spared: readonly number[] = []): Promise<void> {
  for (const pid of await pidsOf(roots, marker, spared)) signal(pid);
}

/**
 * Ends the leader of a group with the group and all that it started, but for what was started by `spared`, as near to at once as
 * can be: to read /proc takes longer than a short task. The ms of CLOCK_MONOTONIC when it has.
 */
export async function killService(leader: number, spared: readonly number[]): Promise<number> {
  const below = await pidsOf([leader], null, spared);
  signal(-leader);
  for (const pid of below) signal(pid);
  return nowMs();
}

/** SIGKILL; false when it had ended by itself. */
export function signal(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}

async function pidsOf(roots: readonly number[], marker: string | null, spared: readonly number[]): Promise<number[]> {
  const kept = new Set((await processesOf(spared, null)).map(({ pid }) => pid));
  return (await processesOf(roots, marker)).map(({ pid }) => pid).filter((pid) => !kept.has(pid));
}

export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Starts a process as `pid` was started, with the same words, environment and folder, once it has ended. */
export async function startedLike(pid: number, log: number): Promise<() => number> {
  const strings = async (name: string): Promise<string[]> =>
    (await readFile(`/proc/${pid}/${name}`, 'utf8')).split('\0').slice(0, -1);
  const [program = '', ...args] = await strings('cmdline');
  const env = Object.fromEntries(
    (await strings('environ')).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const cwd = await readlink(`/proc/${pid}/cwd`);
  return () => spawn(program, args, { cwd, env, stdio: ['ignore', log, log], detached: true }).pid ?? 0;
}

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** State, parent, …: what stands behind the name in /proc/PID/stat. */
  readonly fields: readonly string[];
}

/** The roots, all below them, and those that have `marker` in the environment they were started with, wherever they hang now. */
async function processesOf(roots: readonly number[], marker: string | null): Promise<ProcessStat[]> {
  // At once, which is quicker by far than to wait for each: what is to be killed ends while it is looked for.
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(statOf)
    .filter((stat) => stat !== null);
  const marked = await Promise.all(
    all.map(
      async ({ pid }) =>
        marker !== null && (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).includes(marker),
    ),
  );
  const found = new Set(roots);
  all.forEach(({ pid }, i) => marked[i] && found.add(pid));
  found.delete(process.pid);
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return all.filter(({ pid }) => found.has(pid));
}

function statOf(name: string): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${name}/stat`, 'utf8');
  } catch {
    // It ended meanwhile.
    return null;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid: Number(name), parent: Number(fields[1]), fields };
}
