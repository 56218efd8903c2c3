import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SluiceError } from '#core';
import { isAlive } from './postmaster.ts';
import { readServerFile } from './server-file.ts';

export interface InstanceLock {
  release(): Promise<void>;
}

const MAX_TRIES = 100;

/**
 * Makes sure that one process at a time runs on a home folder. Throws `conflict`, with the address of the one that runs.
 * The lock of a process that is gone counts for nothing, also when its number belongs to another process by now.
 */
export async function lockInstance(home: string, pid: number = process.pid): Promise<InstanceLock> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const file = path.join(home, 'sluice.pid');
  const text = `${pid} ${await startOf(pid)}\n`;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const found = await readOrNull(file);
    const holder = found === null ? null : await holderOf(found);
    if (holder !== null && holder !== pid) throw await alreadyRuns(home, holder);
    const taken = found === null ? await create(file, text) : await replaceStale(file, found, text);
    if (taken) return { release: () => rm(file, { force: true }) };
    await delay(10);
  }
  throw new SluiceError('conflict', `${file} cannot be taken: other processes keep starting here.`);
}

/** False when it exists already. It appears with its content: nobody ever sees a lock that does not say whose it is. */
async function create(file: string, text: string): Promise<boolean> {
  const draft = await writeDraft(file, text);
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Replaces the lock that reads `stale`; false when somebody else may be doing so. The right to do it is a file named by
 * what is replaced: while we hold that, nobody else can change the lock, so what is read then is what is replaced.
 */
async function replaceStale(file: string, stale: string, text: string): Promise<boolean> {
  const right = `${file}.${createHash('sha256').update(stale).digest('hex').slice(0, 16)}`;
  if (!(await create(right, text))) {
    const by = await readOrNull(right);
    if (by !== null && (await holderOf(by)) === null) await rm(right, { force: true });
    return false;
  }
  try {
    if ((await readOrNull(file)) !== stale) return false;
    await rename(await writeDraft(file, text), file);
    return true;
  } finally {
    await rm(right, { force: true });
  }
}

async function writeDraft(file: string, text: string): Promise<string> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
  return draft;
}

async function alreadyRuns(home: string, holder: number): Promise<SluiceError> {
  const server = await readServerFile(home).catch(() => null);
  return new SluiceError(
    'conflict',
    `Sluice already runs here${server ? ` at ${server.url}` : ''} (process ${holder}, data in ${home}).`,
    {
      hint: 'Open it with `npx sluice open`, stop it with Ctrl-C where it runs, or set SLUICE_HOME to another folder for a second one.',
    },
  );
}

function readOrNull(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

/** The process that wrote the lock, while it lives. */
async function holderOf(text: string): Promise<number | null> {
  const [pid = 0, start = 0] = text.split(' ').map(Number);
  if (!(pid > 0) || !(await isAlive(pid))) return null;
  // Where a start time is known on both sides, another one means another process.
  const now = await startOf(pid);
  return start > 0 && now > 0 && start !== now ? null : pid;
}

/** Start of a process in clock ticks since boot; 0 where that is not known. */
async function startOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 0);
}
