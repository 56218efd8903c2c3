import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '#core';

/**
 * Removes a folder and everything below; never follows links; nothing there is no error. A task may have left folders
 * read-only (Go's module cache is): an ordinary user can only remove their entries once they are writable.
 */
export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch {
    await makeWritable(folder);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes each of them and returns how many; throws when some could not be, once all were tried. */
export async function removeTrees(folders: readonly string[]): Promise<number> {
  const failures: Error[] = [];
  for (const folder of folders) await removeTree(folder).catch((error: Error) => failures.push(error));
  const [first] = failures;
  if (first === undefined) return folders.length;
  throw new SluiceError(
    'unavailable',
    `${failures.length} of ${folders.length} folders cannot be removed: ${first.message}`,
    { hint: 'Perhaps another user owns what is in them: remove them by hand.', cause: first },
  );
}

async function makeWritable(folder: string): Promise<void> {
  if (!(await lstat(folder)).isDirectory()) return;
  await chmod(folder, 0o700);
  for (const name of await readdir(folder)) await makeWritable(path.join(folder, name));
}
