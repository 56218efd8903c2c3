import { pathOffence } from '#core';

/** Characters that a file system of Apple leaves out when it compares names. */
const IGNORED_BY_HFS = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
/** Nothing that could be read as `.git`: most paths, and there are many. */
const HARMLESS = /^(?!.*git)[\x20-\x7e]*$/i;
/** Why a path must not stand in a release, in words that follow its name (`is absolute`); null: it may. */
export function releasePathOffence(path: string): string | null {
  const offence = pathOffence(path);
  if (offence !== null) return offence;
  if (HARMLESS.test(path)) return null;
  const segment = path.split('/').find(isGitFolder);
  return segment === undefined
    ? null
    : `holds the segment ${JSON.stringify(segment)}, which git would take for its own`;
}

/**
 * Why a path must not stand in what others are asked to trust, a commit: it would steer a terminal or look like another
 * one. A working tree may hold it: its files are their author's own, and the other pipelines run on.
 */
export function steeringOffence(path: string): string | null {
  return /[\u0080-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/.test(path) ? 'holds a control character' : null;
}

/** Also the spellings that file systems of other machines take for `.git`. */
function isGitFolder(segment: string): boolean {
  const [name = ''] = segment.replace(IGNORED_BY_HFS, '').toLowerCase().split(':');
  return ['.git', 'git~1'].includes(name.replace(/[. ]+$/, ''));
}

/** Finds paths that are one file or folder where upper and lower case, or Unicode forms, are the same. */
export class NameClashes {
  /** What stands at each folded path: its spelling, and whether it is a file. */
  readonly #seen = new Map<string, { readonly spelling: string; readonly file: boolean }>();
  readonly #folders = new Set<string>();

  /** Why this path cannot stand beside those added before, in words that follow its name; null: it can. */
  add(path: string): string | null {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      const folder = path.slice(0, at);
      if (this.#folders.has(folder)) continue;
      const clash = this.#take(folder, false);
      if (clash !== null) return clash;
      this.#folders.add(folder);
    }
    return this.#take(path, true);
  }

  #take(spelling: string, file: boolean): string | null {
    const key = fold(spelling);
    const other = this.#seen.get(key);
    if (other === undefined) this.#seen.set(key, { spelling, file });
    if (other === undefined || (other.spelling === spelling && !file && !other.file)) return null;
    if (other.spelling !== spelling)
      return `differs from ${JSON.stringify(other.spelling)} only by case or Unicode form`;
    return other.file && file ? 'is listed twice' : 'is a file and a folder';
  }
}

function fold(path: string): string {
  return /^[\x20-\x7e]*$/.test(path)
    ? path.toLowerCase()
    : path.normalize('NFD').toUpperCase().toLowerCase().normalize('NFC');
}
