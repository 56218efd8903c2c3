import { createHash } from 'node:crypto';
import type { ReleaseFile } from './hashed-files.ts';

const FORMAT = 1;

/**
 * A release's digest: SHA-256 over the canonical JSON (RFC 8785) of `{files: {path: [mode, sha256]}, format}`. The files
 * must be sorted by path (`byCodeUnit`).
 */
export function contentDigest(files: Iterable<Pick<ReleaseFile, 'path' | 'executable' | 'sha256'>>): string {
  const members: string[] = [];
  for (const { path, executable, sha256 } of files)
    members.push(`${JSON.stringify(path)}:["${executable ? '100755' : '100644'}","${sha256}"]`);
  return createHash('sha256')
    .update(`{"files":{${members.join(',')}},"format":${FORMAT}}`)
    .digest('hex');
}
