import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { HistoryPointer } from './history.ts';

interface Manifest {
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
}

/** What was found to be in order. */
export interface StorageFigures {
  readonly partitions: number;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Compares the folder that people see with the pointers: every location shows the version it should, every version holds
 * exactly the files of its manifest with their hashes, and beside the pointers' locations there is nothing.
 */
export async function checkStorage(
  root: string,
  pointers: readonly HistoryPointer[],
): Promise<{ figures: StorageFigures; problems: string[] }> {
  const problems: string[] = [];
  let [files, bytes] = [0, 0];
  for (const { location, version } of pointers) {
    const shown = await realpath(path.join(root, location)).catch(() => null);
    const wanted = await realpath(path.join(root, '.sluice', 'versions', version)).catch(() => null);
    if (shown === null || wanted === null || shown !== wanted) {
      problems.push(`${location} shows ${shown === null ? 'nothing' : path.basename(shown)} instead of ${version}`);
      continue;
    }
    const manifest = JSON.parse(await readFile(path.join(shown, '_sluice.json'), 'utf8')) as Manifest;
    const found = (await listFiles(shown)).filter((file) => file !== '_sluice.json');
    const listed = manifest.files.map((file) => file.path).sort();
    if (String(found) !== String(listed))
      problems.push(`${location} holds ${found.join(', ')}, its manifest ${listed}`);
    for (const file of manifest.files) {
      if ((await hashOf(path.join(shown, file.path))) !== file.sha256)
        problems.push(`${location}/${file.path} is not what was published`);
      files += 1;
      bytes += file.bytes;
    }
  }
  const known = new Set(pointers.map(({ location }) => location));
  for (const parent of new Set(pointers.map(({ location }) => path.dirname(location))))
    for (const name of await readdir(path.join(root, parent)))
      if (!known.has(path.join(parent, name))) problems.push(`${parent}/${name} belongs to no interval`);
  return { figures: { partitions: pointers.length, files, bytes }, problems };
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

async function hashOf(file: string): Promise<string | null> {
  const hash = createHash('sha256');
  return pipeline(createReadStream(file), hash).then(
    () => hash.digest('hex'),
    () => null,
  );
}
