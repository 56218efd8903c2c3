import { closest } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import { FOREIGN_KEYS, MISPLACED_KEYS, NOT_YET } from './foreign-keys.ts';
import { labelOf } from './label.ts';

/** What to say about a key that the map at `path` does not have, whose keys are `known`. */
export function unknownKey(key: string, path: Path, known: readonly string[]): { message: string; hint: string } {
  const where = path.length === 0 ? '' : ` in ${labelOf(path)}`;
  const later = laterKey(key, path);
  if (later !== undefined) return { message: `The key ${quote(key)}${where} is not yet supported.`, hint: later };
  return { message: `The key ${quote(key)}${where} is not known.`, hint: hintFor(key, path, known) };
}

function laterKey(key: string, path: Path): string | undefined {
  const kind = placeOf(path);
  return kind === null || !Object.hasOwn(NOT_YET[kind], key) ? undefined : NOT_YET[kind][key];
}

function placeOf(path: Path): keyof typeof NOT_YET | null {
  const [section] = path;
  if (path.length === 0) return 'file';
  if (path.at(-1) === 'schedule') return 'schedule';
  if (path.length === 1) return section === 'defaults' ? 'task' : null;
  if (path.length === 2 && ['first', 'tasks', 'finally'].includes(String(section))) return 'task';
  if (path.length === 2 && section === 'groups') return 'group';
  if (path.length === 2 && section === 'paths') return 'path';
  return path.length === 2 && section === 'environments' ? 'overlay' : null;
}

function hintFor(key: string, path: Path, known: readonly string[]): string {
  const misplaced = Object.hasOwn(MISPLACED_KEYS, key) ? MISPLACED_KEYS[key] : undefined;
  if (misplaced !== undefined) return misplaced;
  const foreign = Object.hasOwn(FOREIGN_KEYS, key) ? FOREIGN_KEYS[key] : undefined;
  const first = /^\w+/.exec(foreign ?? '')?.[0] ?? '';
  // Where the key itself would be strange, its translation would be too.
  if (foreign !== undefined && (known.includes(first) || path.length === 0)) return `Did you mean \`${foreign}\`?`;
  const meant = closest(key, known) ?? known.find((candidate) => candidate.length > 3 && key.includes(candidate));
  if (meant !== undefined) return `Did you mean "${meant}"?`;
  return known.length === 0 ? 'Remove it.' : `Known keys: ${known.join(', ')}.`;
}
