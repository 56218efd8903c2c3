import { open, readdir, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { SluiceError } from '#core';
import { foldersUpward } from '../server/find-server.ts';

/** A repository's pipeline and environment files as they lie there. */
export interface Project {
  /** Absolute folder that holds `dags/`. */
  readonly root: string;
}

export interface ProjectFile {
  /** Path from the root with forward slashes: `dags/hello.yaml`. */
  readonly path: string;
  readonly text: string;
}

/** A pipeline file is at most 1 MiB; somebody may have put 50 GB of data beside it. */
const MOST_READ = 2 * 1024 * 1024;
/** Never part of a release, so never asked about. */
const IGNORED = new Set(['node_modules', '.git', '.sluice', '__pycache__', '.venv', 'venv']);

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

/** All pipeline files: every `.yaml` and `.yml` under `dags/`, in the order of their paths. */
export async function pipelineFiles({ root }: Project): Promise<ProjectFile[]> {
  const paths = (await filesBelow(root, 'dags')).filter((path) => /\.ya?ml$/.test(path));
  return Promise.all(paths.map(async (path) => ({ path, text: await readText(root, path) })));
}

/** All files under `dags/`, so that a task naming one that is missing can be refused. Relative to `dags/`. */
export async function releaseFileNames({ root }: Project): Promise<ReadonlySet<string>> {
  return new Set((await filesBelow(root, 'dags')).map((path) => path.slice('dags/'.length)));
}

/** All `environments/*.yaml`; none when there is no such folder. */
export async function environmentFiles({ root }: Project): Promise<ProjectFile[]> {
  const paths = (await filesBelow(root, 'environments')).filter((path) => /^environments\/[^/]+\.ya?ml$/.test(path));
  return Promise.all(paths.map(async (path) => ({ path, text: await readText(root, path) })));
}

/** Path from the project's root with forward slashes. */
export function pathInProject({ root }: Project, absolute: string): string {
  return relative(root, absolute).split(sep).join('/');
}

async function filesBelow(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const found = await Promise.all(
    entries
      .filter((entry) => !IGNORED.has(entry.name))
      .map((entry) => {
        const path = `${folder}/${entry.name}`;
        if (entry.isDirectory()) return filesBelow(root, path);
        return entry.isFile() || entry.isSymbolicLink() ? [path] : [];
      }),
  );
  return found.flat().sort();
}

/** The text of a file, or its beginning when it is larger than any pipeline may be: the compiler refuses it by its size. */
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
