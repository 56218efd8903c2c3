import { createHash } from 'node:crypto';
import { constants, type Dirent, type Stats } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '#core';
import { inLanes } from './in-lanes.ts';
import type { ManifestFile } from './manifest.ts';
import { MANIFEST, OURS } from './root-folder.ts';

/** As many as Node's thread pool has threads: more only queue there. */
const AT_ONCE = 4;
const CHUNK = 1024 * 1024;

export interface StagedFiles {
  readonly files: readonly ManifestFile[];
  /** Every folder, the deepest first. */
  readonly folders: readonly string[];
}

/**
 * Hashes every file of a staged output and makes it read-only. Throws `bad_request` for anything that is not a plain
 * file of this output alone: links, devices, hard links to elsewhere, reserved names, a file still being written.
 */
export async function hashStagedFiles(root: string, output: string, durable: boolean): Promise<StagedFiles> {
  const names: string[] = [];
  const folders = [root];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const full = path.join(folder, entry.name);
      refuseOdd(entry, path.relative(root, full), output);
      if (entry.isDirectory()) folders.push(full);
      else names.push(path.relative(root, full));
    }
  }
  const found = await inLanes(AT_ONCE, names, (name) => hashOne(root, name, output, durable));
  refuseHardLinks(found, output);
  return { files: found.map(({ file }) => file), folders: folders.reverse() };
}

function refuseOdd(entry: Dirent, relative: string, output: string): void {
  if (relative === MANIFEST || relative === OURS) throw reservedName(output, relative);
  if (entry.name.includes('\uFFFD'))
    throw refusal(output, relative, 'has a name that is not UTF-8', 'Rename the file.');
  if (entry.isSymbolicLink())
    throw refusal(
      output,
      relative,
      'is a symbolic link',
      'Copy the file it points to (`cp -L`): a version holds its own data.',
    );
  if (!entry.isFile() && !entry.isDirectory())
    throw refusal(
      output,
      relative,
      'is neither a file nor a folder',
      'Remove sockets, pipes and devices before the task ends.',
    );
}

export function reservedName(output: string, name: string): SluiceError {
  return refusal(output, name, 'has a reserved name', 'Leave it out when you copy an input: Sluice writes its own.');
}

async function hashOne(root: string, name: string, output: string, durable: boolean) {
  // No link is followed even if one took the file's place since it was listed, and a pipe would not block us.
  const handle = await open(path.join(root, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile())
      throw refusal(output, name, 'is not a plain file', 'Do not change outputs when the task has ended.');
    const { sha256, bytes } = await hashContent(handle, stats.size);
    const after = await handle.stat();
    if (bytes !== after.size || after.mtimeMs !== stats.mtimeMs)
      throw refusal(
        output,
        name,
        'is still being written',
        'Wait for background processes before the task ends (`wait` in a shell).',
      );
    // A task of another user must not be able to take the write permission back.
    if (process.getuid?.() === 0 && stats.uid !== 0) await handle.chown(0, 0);
    await handle.chmod(stats.mode & 0o111 ? 0o555 : 0o444);
    if (durable) await handle.datasync();
    return { file: { path: name.split(path.sep).join('/'), bytes, sha256 }, stats };
  } finally {
    await handle.close();
  }
}

async function hashContent(handle: FileHandle, size: number): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, size + 1));
  let bytes = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, bytes);
    if (bytesRead === 0) return { sha256: hash.digest('hex'), bytes };
    hash.update(buffer.subarray(0, bytesRead));
    bytes += bytesRead;
  }
}

/** Another name of the same file outside this output could change it later. */
function refuseHardLinks(found: readonly { file: ManifestFile; stats: Stats }[], output: string): void {
  const seen = new Map<number, number>();
  for (const { stats } of found) seen.set(stats.ino, (seen.get(stats.ino) ?? 0) + 1);
  for (const { file, stats } of found) {
    if (stats.nlink > (seen.get(stats.ino) ?? 0))
      throw refusal(
        output,
        file.path,
        'is a hard link to a file elsewhere',
        'Copy it instead: a version holds its own data.',
      );
  }
}

/** Why an output cannot become a version. */
export function refusal(output: string, name: string, what: string, hint: string): SluiceError {
  return new SluiceError('bad_request', `Output "${output}": ${JSON.stringify(name)} ${what}.`, { hint });
}
