import { MANIFEST, OURS } from './root-folder.ts';

/** Key of a version's folder, or of a file in it. */
export function versionKey(version: string, file?: string): string {
  return `${OURS}/versions/${version}${file === undefined ? '' : `/${file}`}`;
}

/** Key of the object that makes a version whole: it is written last. */
export function manifestKey(version: string): string {
  return versionKey(version, MANIFEST);
}
