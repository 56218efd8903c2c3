import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bootId, killGroup, killMarked, readProcessFile, startTicks, type ProcessFile } from './child/process-file.mjs';
import { removeTreeSync } from './child/remove-tree.mjs';

/**
 * Kills the process groups that a predecessor, itself dead, recorded in `pidFolder` and left behind, and removes its
 * records and scratch. A group is only hit while its leader's pid and start time are the recorded ones. Returns how
 * many groups and stray processes were killed. Call it before the first dispatch.
 */
export async function endLeftovers(pidFolder: string): Promise<number> {
  let ended = 0;
  for (const marker of markersIn(pidFolder)) {
    const owner = firstHeader(pidFolder, marker)?.owner;
    const ownerLives = owner !== undefined && owner.start !== null && startTicks(owner.pid) === owner.start;
    if (!ownerLives) ended += endRecorded(pidFolder, marker);
  }
  return ended;
}

/** Kills everything recorded under one marker, then removes its records and scratch. */
export function endRecorded(pidFolder: string, marker: string): number {
  let ended = 0;
  let scratch: string | undefined;
  for (const name of recordsOf(pidFolder, marker)) {
    const record = tryRead(join(pidFolder, name));
    // After a restart of the machine the pids mean other processes.
    if (record !== null && record.header.boot !== '' && record.header.boot === bootId()) {
      for (const [pid, start] of record.groups) if (killGroup(pid, start)) ended += 1;
      ended += killMarked(marker);
    }
    scratch ??= record?.header.scratch;
    rmSync(join(pidFolder, name), { force: true });
  }
  if (scratch !== undefined) removeTreeSync(scratch);
  return ended;
}

function markersIn(pidFolder: string): string[] {
  return [...new Set(namesIn(pidFolder).map((name) => name.split('.')[0]!))];
}

function recordsOf(pidFolder: string, marker: string): string[] {
  return namesIn(pidFolder).filter((name) => name.startsWith(`${marker}.`));
}

function namesIn(pidFolder: string): string[] {
  try {
    return readdirSync(pidFolder).filter((name) => /^[0-9a-f]{18}\.[\w-]+$/.test(name));
  } catch {
    return []; // no folder: nothing was ever started
  }
}

function firstHeader(pidFolder: string, marker: string): ProcessFile['header'] | undefined {
  return recordsOf(pidFolder, marker)
    .map((name) => tryRead(join(pidFolder, name))?.header)
    .find((header) => header !== undefined);
}

function tryRead(file: string): ProcessFile | null {
  try {
    return readProcessFile(file);
  } catch {
    return null; // torn by the crash before its first line was whole: no process stands in it yet
  }
}
