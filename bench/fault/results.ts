import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PROGRAM_ROOT } from '../../apps/standalone/standalone-fixture.ts';

const RESULTS = path.join(PROGRAM_ROOT, 'bench', 'results');
const fileOf = (fault: string): string => path.join(RESULTS, `fault-${fault}.json`);

/** What is stored, when all of `sameAs` is as it says; null: nothing is that could be continued. */
export async function readResults<T extends object>(
  fault: string,
  sameAs: Readonly<Record<string, unknown>>,
): Promise<T | null> {
  const text = await readFile(fileOf(fault), 'utf8').catch(() => null);
  if (text === null) return null;
  const stored = JSON.parse(text) as Record<string, unknown>;
  return Object.entries(sameAs).every(([name, value]) => stored[name] === value) ? (stored as T) : null;
}

let storing = Promise.resolve();

/** One after the other: lanes that go on side by side share the file. */
export function storeResults(fault: string, results: object): Promise<void> {
  const text = `${JSON.stringify(results, null, 2)}\n`;
  storing = storing.then(() => store(fileOf(fault), text));
  return storing;
}

/** Whoever kills it here must not lose the hours before. */
async function store(file: string, text: string): Promise<void> {
  await mkdir(RESULTS, { recursive: true });
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

export function thisMachine() {
  return {
    processors: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 1e9),
    node: process.version,
  };
}

/** Hash of the built program and of the fault suite: results of other code are not continued. */
export async function codeHash(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of ['dist', path.join('bench', 'fault')]) {
    const entries = await readdir(path.join(PROGRAM_ROOT, folder), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && /\.([mc]?js|ts|py)$/.test(entry.name));
    for (const file of files.map(({ parentPath, name }) => path.join(parentPath, name)).sort()) {
      // The web view has no part in it, nor have tests.
      if (/[\\/]web[\\/]|\.test\.ts$/.test(file)) continue;
      hash.update(`${path.relative(PROGRAM_ROOT, file)}\0`).update(await readFile(file));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
