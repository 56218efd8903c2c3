import { lstatSync } from 'node:fs';
import path from 'node:path';
import { relativeSegments, SluiceError } from '#core';

/**
 * The absolute path of `relative` below `root`. The one way by which a name that came from elsewhere becomes a path:
 * refuses with `bad_request` what leaves the root by its text (`..`, absolute, NUL, …) or through a symbolic link among
 * the folders that exist on the way. Nothing needs to exist.
 */
export function contained(root: string, relative: string, options: { lastMayBeLink?: boolean } = {}): string {
  const segments = relativeSegments(relative);
  let at = root;
  for (const [index, segment] of segments.entries()) {
    at = path.join(at, segment);
    const last = index === segments.length - 1;
    const entry = lstatSync(at, { throwIfNoEntry: false });
    if (entry === undefined) return path.join(root, ...segments);
    if (entry.isSymbolicLink() && !(last && options.lastMayBeLink))
      throw new SluiceError('bad_request', `Path "${relative}" goes through the symbolic link ${at}.`, {
        hint: 'Links inside a storage root are never followed: remove the link, or use another path.',
      });
    if (!last && !entry.isDirectory() && !entry.isSymbolicLink())
      throw new SluiceError('bad_request', `Path "${relative}" needs ${at} to be a folder, and it is a file.`, {
        hint: 'Remove that file, or use another path.',
      });
  }
  return at;
}
