import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '#core';
import { type Git, records } from './git.ts';

/** Never part of a release unless committed: caches, environments, editors' leftovers. */
const IGNORED_FOLDERS = new Set(
  [
    '.git',
    '.sluice',
    'node_modules',
    '__pycache__',
    '.venv',
    'venv',
    '.mypy_cache',
    '.pytest_cache',
    '.ruff_cache',
  ].concat(['.ipynb_checkpoints', '.idea', '.vscode']),
);
const IGNORED_FILES = /^(\.DS_Store|Thumbs\.db|4913|\.#.*|#.*#|.*~|.*\.(swp|swo|swx|pyc|pyo|tmp))$/;

/** True for a folder whose content is never listed (nor watched). */
export function isIgnoredFolder(name: string): boolean {
  return IGNORED_FOLDERS.has(name);
}

/**
 * Paths inside `<repository>/<folder>`, with forward slashes, sorted. In git: what is tracked, and what is neither
 * tracked nor ignored. Elsewhere, and in a repository that ignores the folder as a whole: everything but the usual
 * leftovers. Files that are listed may be gone.
 */
export async function listFiles(git: Git, repository: string, folder: string): Promise<readonly string[]> {
  const listed = await git(['ls-files', '-z', '-t', '--cached', '--others', '--exclude-standard', '--', folder]);
  const names = listed === null ? [] : namesFromGit(listed, folder);
  if (names.length > 0) return [...new Set(names)].sort(byCodeUnit);
  return (await walk(path.join(repository, folder))).sort(byCodeUnit);
}

function namesFromGit(listed: Buffer, folder: string): string[] {
  const names: string[] = [];
  for (const record of records(listed)) {
    const name = record.slice(2 + folder.length + 1);
    const tracked = !record.startsWith('? ');
    if (tracked || !isLeftover(name)) names.push(name);
  }
  return names;
}

function isLeftover(name: string): boolean {
  const segments = name.split('/');
  return IGNORED_FILES.test(segments.at(-1) ?? '') || segments.slice(0, -1).some(isIgnoredFolder);
}

async function walk(root: string): Promise<string[]> {
  const names: string[] = [];
  const folders = [''];
  for (const folder of folders) {
    for (const entry of await entriesOf(root, folder)) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!isIgnoredFolder(entry.name)) folders.push(name);
      } else if (!IGNORED_FILES.test(entry.name)) names.push(name);
    }
  }
  return names;
}

async function entriesOf(root: string, folder: string): Promise<Dirent[]> {
  try {
    return await readdir(path.join(root, folder), { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && folder !== '') return []; // removed while we walk
    if (code !== 'ENOENT') throw error;
    throw new SluiceError('not_found', `There is no folder ${root}.`, {
      hint: '`sluice init` makes one, with an example.',
      cause: error,
    });
  }
}

/** The order of the digest: the same on every machine, whatever its locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
