import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import type { ProcessorPlace } from './processor-place.ts';

/** The folder of this process's groups. */
export const OWN_NAME = `sluice-${process.pid}`;

const PERIOD_US = 100_000;
/** The kernel takes no less. */
const LEAST_US = 1_000;

/** The folders of processes of Sluice that are gone. */
export function leftoversIn(parent: string): string[] {
  return entriesOf(parent).flatMap(({ name }) => {
    const pid = /^sluice-(\d+)$/.exec(name)?.[1];
    return pid === undefined || existsSync(`/proc/${pid}`) ? [] : [join(parent, name)];
  });
}

/** Makes a group, a folder below `OWN_NAME`, that may use so many processors. Throws when it may not be. */
export function makeGroup({ version, parent }: ProcessorPlace, group: string, cpu: number): void {
  const quota = Math.max(LEAST_US, Math.round(cpu * PERIOD_US));
  const own = join(parent, OWN_NAME);
  if (version === 2) writeFileSync(join(parent, 'cgroup.subtree_control'), '+cpu');
  make(own);
  if (version === 2) writeFileSync(join(own, 'cgroup.subtree_control'), '+cpu');
  make(group);
  if (version === 1) {
    writeFileSync(join(group, 'cpu.cfs_period_us'), String(PERIOD_US));
    writeFileSync(join(group, 'cpu.cfs_quota_us'), String(quota));
  } else writeFileSync(join(group, 'cpu.max'), `${quota} ${PERIOD_US}`);
}

/** Not `recursive`, which tries for ever where the kernel says ENOENT of a folder whose parent is there. */
function make(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** A process that has ended need not be brought. */
export function bring(pid: number, group: string): void {
  try {
    writeFileSync(join(group, 'cgroup.procs'), String(pid));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The processes of a group; none when somebody else removed it. */
export function pidsIn(group: string): number[] {
  try {
    // Whom we cannot see is a 0, which would mean ourselves.
    return readFileSync(join(group, 'cgroup.procs'), 'utf8')
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0);
  } catch {
    return [];
  }
}

/** Removes a group and what is in it. Returns whether it is gone: it can only go when no process is left in it. */
export function remove(folder: string): boolean {
  for (const entry of entriesOf(folder)) if (entry.isDirectory()) remove(join(folder, entry.name));
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
