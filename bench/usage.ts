import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BenchSystem } from './bench-system.ts';

/** Of the clock of /proc. */
const TICK_MS = 10;

export interface Usage {
  /** Of this process and of Postgres with its children, in each second. */
  readonly cpuMs: number;
  /** Transactions that were committed, in each second. */
  readonly commits: number;
  readonly heapMiB: number;
  /** What this process holds in memory, and the share of Postgres and its children: pages that they have in common count once. */
  readonly memoryMiB: number;
}

/** What a system costs in so many milliseconds in which nobody asks it for anything. */
export async function usage(system: BenchSystem, ms: number): Promise<Usage> {
  const { db } = system.installation;
  const postmaster = await postmasterOf(system);
  const commits = async (): Promise<number> => {
    const [stat] = await db.query<{ n: number }[]>(
      'select xact_commit::float8 as n from pg_stat_database where datname = current_database()',
    );
    return stat?.n ?? 0;
  };
  const [own, postgres, before] = [process.cpuUsage(), await postgresCpuMs(postmaster), await commits()];
  await pause(ms);
  const spent = process.cpuUsage(own);
  const cpuMs = (spent.user + spent.system) / 1000 + (await postgresCpuMs(postmaster)) - postgres;
  const committed = (await commits()) - before;
  const { heapUsed, external } = process.memoryUsage();
  return {
    cpuMs: (cpuMs * 1000) / ms,
    commits: (committed * 1000) / ms,
    heapMiB: (heapUsed + external) / 1024 ** 2,
    memoryMiB: await memoryMiB(system),
  };
}

/** See `Usage`. */
async function memoryMiB(system: BenchSystem): Promise<number> {
  return process.memoryUsage.rss() / 1024 ** 2 + (await postgresMiB(await postmasterOf(system)));
}

/**
 * What stays: the heap of this process after a collection, and what the processes of Postgres hold for themselves. Garbage that
 * nobody needed to collect yet, and buffers that fill once, are no drift.
 */
export async function keptMiB(system: BenchSystem): Promise<{ sluice: number; postgres: number }> {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  const postgres = await postgresMiB(await postmasterOf(system), 'Pss_Anon');
  return { sluice: (heapUsed + external) / 1024 ** 2, postgres };
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

async function postmasterOf({ installation: { db } }: BenchSystem): Promise<string> {
  const [row] = await db.query<{ pid: number }[]>('select pg_backend_pid() as pid');
  return (await statOf(String(row?.pid)))[1] ?? '';
}

/**
 * Of the postmaster, of what it started, and of what ended meanwhile. In nanoseconds but for what ended: a tick of each of ten
 * processes is as much as an idle system takes in ten seconds.
 */
async function postgresCpuMs(postmaster: string): Promise<number> {
  let ms = 0;
  for (const { pid, fields } of await processesOf(postmaster)) {
    const [nanoseconds] = (await readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => '0')).split(' ');
    ms += Number(nanoseconds) / 1e6;
    if (pid === postmaster) ms += (Number(fields[13]) + Number(fields[14])) * TICK_MS;
  }
  return ms;
}

/** Processes that vacuum come and go: what they hold is not kept. */
async function postgresMiB(postmaster: string, share: 'Pss' | 'Pss_Anon' = 'Pss'): Promise<number> {
  let kib = 0;
  for (const { pid } of await processesOf(postmaster)) {
    const name = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (share === 'Pss_Anon' && name.startsWith('postgres: autovacuum worker')) continue;
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    kib += Number(new RegExp(`^${share}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  }
  return kib / 1024;
}

async function processesOf(postmaster: string): Promise<{ pid: string; fields: string[] }[]> {
  const found: { pid: string; fields: string[] }[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const fields = await statOf(pid);
    if (pid === postmaster || fields[1] === postmaster) found.push({ pid, fields });
  }
  return found;
}

/** State, parent, …, user and system time, those of ended children: what stands behind the name, which may hold blanks. */
async function statOf(pid: string): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
