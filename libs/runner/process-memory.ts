import { readdirSync, readFileSync } from 'node:fs';

/** One process as /proc tells it. */
export interface ProcessLine {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** Everything of it that is in memory, also what it only shares, in bytes. */
  readonly resident: number;
}

/** All processes of this machine, as far as they can be seen; none where there is no /proc. */
export function readProcesses(): readonly ProcessLine[] {
  return numbersIn('/proc').flatMap((pid) => {
    try {
      // The command name may hold spaces and brackets: count fields from its closing bracket.
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const [, parent, , session, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 22);
      return [{ pid, parent: Number(parent), session: Number(session), resident: Number(rest.at(-1)) * pageBytes() }];
    } catch {
      return []; // it ended while we looked
    }
  });
}

/** A process, all of its session, and whatever these started, in sessions of their own too. */
export function processesUnder(root: number, processes: readonly ProcessLine[]): readonly ProcessLine[] {
  const found = new Map<number, ProcessLine>();
  for (const one of processes) if (one.pid === root || one.session === root) found.set(one.pid, one);
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const one of processes) if (found.has(one.parent)) found.set(one.pid, one);
  }
  return [...found.values()];
}

/**
 * What processes hold together and nobody can take from them, in bytes: their own memory and shared memory, without what is only
 * mapped from files. What several processes share is divided between them.
 */
export function heldBy(processes: readonly ProcessLine[]): number {
  return processes.reduce((sum, process) => sum + heldByOne(process), 0);
}

function heldByOne({ pid, resident }: ProcessLine): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    const fields = [...rollup.matchAll(/^(Pss_Anon|Pss_Shmem|SwapPss): +(\d+) kB$/gm)];
    return fields.length > 0 ? fields.reduce((sum, [, , kib]) => sum + Number(kib) * 1024, 0) : resident;
  } catch (error) {
    // Ended, or not ours to look into: a task may run something under another user.
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? resident : 0;
  }
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

let knownPageBytes: number | null = null;
function pageBytes(): number {
  return (knownPageBytes ??= readPageKib() * 1024);
}

function readPageKib(): number {
  const smaps = readFileSync('/proc/self/smaps', 'latin1');
  return Number(/^KernelPageSize: +(\d+) kB$/m.exec(smaps)?.[1] ?? 4);
}
