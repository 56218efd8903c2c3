import { open, readdir, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { SluiceError } from '#core';
import { foldersUpward } from '../server/find-server.ts';

/** A folder with pipelines and environments. */
export interface Project {
  /** Absolute folder that holds `dags/`. */
  readonly root: string;
}

export interface ProjectFile {
  /** Path from the root with forward slashes: `dags/hello.yaml`. */
  readonly path: string;
  readonly text: string;
}

/** An environment file is small; somebody may have put 50 GB of data beside it. */
const MOST_READ = 2 * 1024 * 1024;
/** The nearest folder from here upward that holds `dags/`; throws `not_found` with the remedy when there is none. */
export async function findProject(from: string): Promise<Project> {
  for (const folder of foldersUpward(resolve(from))) {
    const info = await stat(join(folder, 'dags')).catch(() => null);
    if (info?.isDirectory()) return { root: folder };
  }
  throw new SluiceError('not_found', `There is no dags/ folder in ${resolve(from)} or above it.`, {
    hint: '`sluice init` makes one, with an example.',
  });
}

/** All `environments/*.yaml` in the order of their names; none when there is no such folder. */
export async function environmentFiles({ root }: Project): Promise<ProjectFile[]> {
  const names = await readdir(join(root, 'environments')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const paths = names
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => `environments/${name}`);
  return Promise.all(paths.map(async (path) => ({ path, text: await readText(root, path) })));
}

/** Path from the project's root with forward slashes. */
export function pathInProject({ root }: Project, absolute: string): string {
  return relative(root, absolute).split(sep).join('/');
}

/** The text of a file, or its beginning when it is larger than any such file may be: the parser refuses it by its size. */
async function readText(root: string, path: string): Promise<string> {
  const file = await open(join(root, path));
  try {
    const buffer = Buffer.alloc(Math.min((await file.stat()).size, MOST_READ));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
