import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { SluiceError } from '#core';
import type { AirflowSource, AirflowVersion } from '#dag/airflow';

export interface AirflowSources {
  readonly sources: readonly AirflowSource[];
  /** Python files among them, which only Airflow can read. */
  readonly python: readonly string[];
}

/** A serialized DAG of ten thousand tasks has about 20 MB. */
const MOST_BYTES = 64 * 1024 * 1024;
const DEFAULTS = ['defaults.yml', 'defaults.yaml'];

/** What is to be imported at `path`: the file itself, or every YAML and JSON file below the folder, named from `cwd`. */
export async function airflowSources(path: string, cwd: string, version: AirflowVersion): Promise<AirflowSources> {
  const info = await stat(path);
  const root = info.isDirectory() ? path : dirname(path);
  const files = info.isDirectory() ? await filesBelow(path) : [path];
  const read = files.filter((file) => /\.(ya?ml|json)$/.test(file) && !DEFAULTS.includes(basename(file)));
  const python = files.filter((file) => file.endsWith('.py')).map((file) => nameFrom(cwd, file));
  if (read.length === 0)
    throw new SluiceError('bad_request', `There is no dag-factory file and no serialized DAG in ${path}.`, {
      hint: 'Name a YAML file of dag-factory, or export DAGs written in Python as docs/from-airflow.md shows.',
    });
  const sources: AirflowSource[] = [];
  // One after the other: a folder may hold thousands, and they are read once.
  for (const file of read) {
    const defaults = file.endsWith('.json') ? null : await defaultsFor(file, root);
    const text = await readText(file);
    sources.push({ file: nameFrom(cwd, file), text, version, ...(defaults === null ? {} : { defaults }) });
  }
  return { sources, python };
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules' && name !== '__pycache__')
      .map((entry) => {
        const path = join(folder, entry.name);
        return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
      }),
  );
  return found.flat().sort();
}

/** The nearest `defaults.yml` from the file's own folder up to `root`. */
async function defaultsFor(file: string, root: string): Promise<string | null> {
  for (let folder = dirname(resolve(file)); folder.startsWith(resolve(root)); folder = dirname(folder)) {
    for (const name of DEFAULTS) {
      const text = await readFile(join(folder, name), 'utf8').catch(() => null);
      if (text !== null) return text;
    }
    if (folder === dirname(folder)) break;
  }
  return null;
}

async function readText(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > MOST_BYTES)
    throw new SluiceError(
      'bad_request',
      `${file} has ${(size / 1024 / 1024).toFixed(0)} MiB; at most 64 MiB are read.`,
      {
        hint: 'Export each DAG into a file of its own.',
      },
    );
  return readFile(file, 'utf8');
}

function nameFrom(cwd: string, file: string): string {
  const name = relative(cwd, resolve(file)).split(sep).join('/');
  return name.startsWith('..') ? resolve(file) : name;
}
