import { randomBytes } from 'node:crypto';
import { MANIFEST, OURS } from './root-folder.ts';

/** Id of a new version of a location. */
export function newVersion(location: string, fence: number): string {
  return `${location}/v${fence}-${randomBytes(8).toString('hex')}`;
}

/** Key of a version's folder, or of a file in it. */
export function versionKey(version: string, file?: string): string {
  return `${OURS}/versions/${version}${file === undefined ? '' : `/${file}`}`;
}

/** Key of the object that makes a version whole: it is written last. */
export function manifestKey(version: string): string {
  return versionKey(version, MANIFEST);
}

/** `s3://…/`: where a version's files are in a bucket. */
export function versionUri(objects: { readonly name: string }, version: string): string {
  return `${objects.name}/${versionKey(version)}/`;
}
