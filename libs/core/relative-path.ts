import { SluiceError } from './errors.ts';

const MAX_PATH = 4096;
const MAX_SEGMENT = 255;

/**
 * The segments of a path that must stay below some folder: forward slashes, no empty, `.` or `..` segment, nothing
 * absolute, no backslash, drive letter or control character. Throws `bad_request` that names the first offence. Purely
 * textual: what links on the disk do with it is for the caller to check.
 */
export function relativeSegments(path: string): readonly string[] {
  const offence = pathOffence(path);
  if (offence !== null)
    throw new SluiceError('bad_request', `Path ${JSON.stringify(shorten(path))} ${offence}.`, {
      hint: 'Use a relative path with forward slashes, such as `raw/2026-01-01`.',
    });
  return path.split('/');
}

/** The same for a name that must be one segment. */
export function relativeSegment(name: string): string {
  if (relativeSegments(name).length === 1) return name;
  throw new SluiceError('bad_request', `Name ${JSON.stringify(shorten(name))} holds a slash.`, {
    hint: 'Use a name that is one part of a path.',
  });
}

/** What `relativeSegments` would refuse, in words that follow the path's name; null: nothing. */
export function pathOffence(path: unknown): string | null {
  if (typeof path !== 'string') return 'is not a text';
  if (path === '') return 'is empty';
  if (path.length > MAX_PATH) return `is longer than ${MAX_PATH} characters`;
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is absolute';
  if (path.includes('\\')) return 'holds a backslash';

  if (/[\u0000-\u001f\u007f]/.test(path)) return 'holds a control character';
  for (const segment of path.split('/')) {
    if (segment === '') return 'holds an empty segment';
    if (segment === '.' || segment === '..') return `holds the segment "${segment}"`;
    if (segment.length > MAX_SEGMENT) return `holds a segment longer than ${MAX_SEGMENT} characters`;
  }
  return null;
}

function shorten(path: unknown): string {
  const text = String(path);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
