import { type Problem, SluiceError } from '#core';
import type { GitStart } from './git.ts';
import { gitRecords } from './git-objects.ts';
import { byCodeUnit } from './list-files.ts';
import type { SizeLimits } from './release-limits.ts';
import { NameClashes, releasePathOffence, steeringOffence } from './release-path.ts';

/** A plain file of a commit. */
export interface CommittedFile {
  /** Relative to the folder, with forward slashes. */
  readonly path: string;
  readonly executable: boolean;
  readonly bytes: number;
  /** Git's id of the content. */
  readonly id: string;
}

/** Enough to see what is wrong; a hostile tree must not make a report of a million lines. */
export const MAX_PROBLEMS = 20;
/** Folders that hold no file are not listed as files, but walking them takes as long. */
const FOLDERS_PER_FILE = 4;

/**
 * The files of a tree, sorted, from git's listing alone: no content is read. Throws `bad_request` with what a release
 * cannot hold (at most MAX_PROBLEMS of it), and stops at the first limit that is passed, however much follows.
 */
export async function listCommit(
  git: GitStart,
  tree: string,
  folder: string,
  limits: SizeLimits,
): Promise<readonly CommittedFile[]> {
  const listing = new Listing(folder, limits);
  // -t: trees within trees that hold no file at all would otherwise be walked for hours without a word.
  for await (const records of gitRecords(git, ['ls-tree', '-r', '-t', '-z', '-l', '--full-tree', tree]))
    if (!records.every((record) => listing.add(record))) break;
  listing.throwProblems();
  return listing.files.sort((a, b) => byCodeUnit(a.path, b.path));
}

class Listing {
  readonly files: CommittedFile[] = [];
  readonly #problems: Problem[] = [];
  readonly #clashes = new NameClashes();
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #folders = 0;
  #bytes = 0;

  constructor(
    private readonly folder: string,
    private readonly limits: SizeLimits,
  ) {}

  /** False: enough is known. */
  add(record: Buffer): boolean {
    const tab = record.indexOf(9);
    const [mode = '', , id = '', size = ''] = record.toString('latin1', 0, tab).split(/ +/);
    const name = record.subarray(tab + 1);
    if (mode === '040000') this.#countFolder();
    else this.#addFile(mode, id, Number(size), name);
    return this.#problems.length < MAX_PROBLEMS && !this.#isFull();
  }

  throwProblems(): void {
    const [first] = this.#problems;
    if (first === undefined) return;
    throw refusal(first, this.#problems);
  }

  #addFile(mode: string, id: string, bytes: number, name: Buffer): void {
    const path = this.#decode(name);
    if (path === null) {
      this.#refuse(name.toString('utf8'), 'has a name that is not UTF-8', 'Rename it: names are UTF-8.');
      return;
    }
    const oddity =
      oddityOf(mode, bytes) ?? releasePathOffence(path) ?? steeringOffence(path) ?? this.#clashes.add(path);
    if (oddity !== null) this.#refuse(path, oddity, remedyOf(mode));
    else if (bytes > this.limits.fileBytes)
      this.#refuse(path, `has ${bytes} bytes; at most ${this.limits.fileBytes} fit`, DATA_ELSEWHERE);
    if (mode.startsWith('100')) this.#bytes += bytes;
    this.files.push({ path, executable: (Number.parseInt(mode, 8) & 0o100) !== 0, bytes, id });
    if (this.files.length > this.limits.files)
      this.#refuse('', `holds more than ${this.limits.files} files`, DATA_ELSEWHERE);
    if (this.#bytes > this.limits.totalBytes)
      this.#refuse('', `holds more than ${this.limits.totalBytes} bytes`, DATA_ELSEWHERE);
  }

  #countFolder(): void {
    this.#folders += 1;
    if (this.#folders > this.limits.files * FOLDERS_PER_FILE)
      this.#refuse('', `holds more than ${this.limits.files * FOLDERS_PER_FILE} folders`, DATA_ELSEWHERE);
  }

  #isFull(): boolean {
    const { files, totalBytes } = this.limits;
    return this.files.length > files || this.#bytes > totalBytes || this.#folders > files * FOLDERS_PER_FILE;
  }

  #refuse(path: string, message: string, hint: string): void {
    const shown = shownName(path === '' ? this.folder : `${this.folder}/${path}`);
    this.#problems.push({ file: shown, line: 1, column: 1, message, hint });
  }

  #decode(name: Buffer): string | null {
    try {
      return this.#utf8.decode(name);
    } catch {
      return null; // refused by the caller, with the name as far as it can be shown
    }
  }
}

/** With what is wrong with a commit, `first` before all others; at most MAX_PROBLEMS go along. */
export function refusal(first: Problem, problems: readonly Problem[]): SluiceError {
  const others = problems.length - 1;
  const more = others === 0 ? '' : problems.length < MAX_PROBLEMS ? ` (and ${others} more)` : ' (and more)';
  return new SluiceError('bad_request', `This cannot become a release: ${first.file} ${first.message}${more}.`, {
    hint: first.hint,
    details: { problems: problems.slice(0, MAX_PROBLEMS) },
  });
}

const DATA_ELSEWHERE = 'Data and build output belong into paths, not into the release: remove them from git.';

function oddityOf(mode: string, bytes: number): string | null {
  if (mode === '120000') return 'is a symbolic link';
  if (mode === '160000') return 'is a submodule';
  if (!/^100(644|664|755)$/.test(mode)) return `has the mode ${mode}, which is neither a file nor a folder`;
  return Number.isSafeInteger(bytes) ? null : 'has a content that this repository lacks (a partial or damaged clone)';
}

function remedyOf(mode: string): string {
  if (mode === '120000') return 'Commit the file itself instead of a link to it.';
  if (mode === '160000') return 'Copy the files of the submodule into dags/, or install them as a dependency.';
  return 'Rename it, or remove it from the commit.';
}

/** Names are hostile: no control characters, not too long. */
export function shownName(path: string): string {
  const clean = path.replace(/[\p{C}\p{Zl}\p{Zp}\ufffd]/gu, '\ufffd');
  return clean.length > 200 ? `${clean.slice(0, 200)}…` : clean;
}
