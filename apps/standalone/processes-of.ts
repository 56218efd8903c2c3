import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
  /** Arguments, separated by blanks. */
  readonly command: string;
  /** Names the launcher that started it; null for what no launcher started. */
  readonly marker: string | null;
  readonly kind: 'sluice' | 'launcher' | 'task' | 'postgres' | 'other';
}

/**
 * Live processes that name `folder` in their arguments or environment or work inside it: whatever was started for a
 * project there. Threads, zombies and this process do not count. Needs /proc; without it there are none.
 */
export function processesOf(folder: string): SeenProcess[] {
  return pids().flatMap((pid) => {
    const seen = look(pid, folder);
    return seen === null ? [] : [seen];
  });
}

function pids(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => pid !== process.pid);
  } catch {
    return [];
  }
}

function look(pid: number, folder: string): SeenProcess | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return null;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    const environment = tryRead(() => readFileSync(`/proc/${pid}/environ`, 'utf8'));
    const workingFolder = tryRead(() => readlinkSync(`/proc/${pid}/cwd`));
    const named = command.includes(folder) || environment.includes(folder);
    if (!named && workingFolder !== folder && !workingFolder.startsWith(`${folder}/`)) return null;
    const marker = /(?:^|\0)SLUICE_PROCESS=([0-9a-f]+)/.exec(environment)?.[1] ?? null;
    return { pid, parent: Number(parent), command, marker, kind: kindOf(command, marker) };
  } catch {
    return null; // gone meanwhile
  }
}

function kindOf(command: string, marker: string | null): SeenProcess['kind'] {
  if (command.includes('launcher.mjs')) return 'launcher';
  if (marker !== null) return 'task';
  if (command.includes('postgres')) return 'postgres';
  return /dist\/(standalone|demo|cli)\.js/.test(command) ? 'sluice' : 'other';
}

/** What may not be read of another user's process says nothing about it. */
function tryRead(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
