import { mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '#core';
import { isAlive } from './postmaster.ts';
import { readServerFile } from './server-file.ts';

export interface InstanceLock {
  release(): Promise<void>;
}

/**
 * Makes sure that one process at a time runs on a home folder. Throws `conflict`, with the address of the one that runs.
 * The lock of a process that is gone counts for nothing.
 */
export async function lockInstance(home: string, pid: number = process.pid): Promise<InstanceLock> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const file = path.join(home, 'sluice.pid');
  for (let tries = 0; tries < 3; tries++) {
    try {
      const handle = await open(file, 'wx', 0o600);
      await handle.writeFile(String(pid));
      await handle.close();
      return { release: () => rm(file, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const other = Number(await readFile(file, 'utf8').catch(() => '0'));
    if (other > 0 && other !== pid && (await isAlive(other))) {
      const server = await readServerFile(home).catch(() => null);
      throw new SluiceError(
        'conflict',
        `Sluice already runs here${server ? ` at ${server.url}` : ''} (process ${other}, data in ${home}).`,
        {
          hint: 'Open it with `npx sluice open`, stop it with Ctrl-C where it runs, or set SLUICE_HOME to another folder for a second one.',
        },
      );
    }
    await rm(file, { force: true });
  }
  throw new SluiceError('conflict', `${file} cannot be taken: other processes keep starting here.`);
}
