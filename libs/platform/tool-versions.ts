import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ToolVersions } from '#core';

const TIMEOUT_MS = 10_000;
const run = promisify(execFile);

/** Versions of what executes tasks here. Never rejects: what cannot be asked is left out. */
export async function toolVersions(
  packageRoot: string,
  { python, searchPath }: { readonly python: string | null; readonly searchPath: string },
): Promise<ToolVersions> {
  const [bash, interpreter, duckdb] = await Promise.all([
    answerOf('bash', searchPath, /version (\S+)/),
    answerOf(python ?? 'python3', searchPath, /^Python (\S+)/),
    duckdbVersion(packageRoot),
  ]);
  const found = {
    node: process.version,
    bash,
    python: interpreter,
    duckdb,
    platform: `${process.platform} ${process.arch}`,
  };
  return Object.fromEntries(
    Object.entries(found).flatMap(([tool, version]) => (version === null ? [] : [[tool, version]])),
  );
}

async function answerOf(program: string, searchPath: string, pattern: RegExp): Promise<string | null> {
  try {
    const { stdout } = await run(program, ['--version'], { timeout: TIMEOUT_MS, env: { PATH: searchPath, LANG: 'C' } });
    return pattern.exec(stdout)?.[1] ?? null;
  } catch {
    // Not installed: tasks that need it fail with that reason.
    return null;
  }
}

/** Of its package: loading the library only to ask would cost memory in a process that never uses it. */
async function duckdbVersion(packageRoot: string): Promise<string | null> {
  try {
    const main = createRequire(path.join(packageRoot, 'package.json')).resolve('@duckdb/node-api');
    const file = path.join(main.slice(0, main.lastIndexOf('node-api') + 'node-api'.length), 'package.json');
    return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
  } catch {
    return null;
  }
}
