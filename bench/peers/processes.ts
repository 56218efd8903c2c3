import { readdir, readFile } from 'node:fs/promises';

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

/** Ends whatever is left of a session: what was started by it, or has its marker in its environment. */
export async function killAll(roots: readonly number[], marker: string): Promise<void> {
  for (const { pid } of await processesOf(roots, marker))
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // It ended meanwhile, which was the point.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
}

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** State, parent, …: what stands behind the name in /proc/PID/stat. */
  readonly fields: readonly string[];
}

/** The roots, all below them, and those that have `marker` in the environment they were started with, wherever they hang now. */
async function processesOf(roots: readonly number[], marker: string): Promise<ProcessStat[]> {
  const all = (await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(statOf))).filter(
    (stat) => stat !== null,
  );
  const marked = await Promise.all(
    all.map(async ({ pid }) => (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).includes(marker)),
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

async function statOf(name: string): Promise<ProcessStat | null> {
  const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
  if (text === '') return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid: Number(name), parent: Number(fields[1]), fields };
}
