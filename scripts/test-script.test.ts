import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';

const folder = mkdtempSync(join(tmpdir(), 'sluice-tools-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs `npm test`'s script in this repository with these variables on top of our own. */
function npmTest(args: readonly string[], env: Readonly<Record<string, string>>) {
  const script = join(import.meta.dirname, 'test.mjs');
  // Jest tells its children that they are its children, which the inner one must not believe; colours would be in the way.
  const { JEST_WORKER_ID: _, FORCE_COLOR: __, ...rest } = process.env;
  return spawnSync(process.execPath, [script, ...args], { env: { ...rest, NO_COLOR: '1', ...env }, encoding: 'utf8' });
}

describe('npm test', () => {
  test('with CI=true a missing tool fails the run, and the end says how to get it', () => {
    const { status, stdout, stderr } = npmTest(['scripts/dockerfile.test.ts'], {
      CI: 'true',
      SLUICE_TEST_CHROMIUM: join(folder, 'no-such-browser'),
      SLUICE_TEST_PYTHON: anExecutable('python3'),
      SLUICE_TEST_NOTEBOOK: anExecutable('python3'),
    });
    expect(stderr).toContain('Tests: ');
    expect(stdout).toContain('chromium is missing: install Chromium or Chrome, or set SLUICE_TEST_CHROMIUM');
    expect(stdout).toMatch(/tools\s+FAILED/);
    expect(status).toBe(1);
  });

  test('passes a filter on, without lint and build, and is green when the picked tests are', () => {
    const { status, stdout, stderr } = npmTest(['scripts/dockerfile.test.ts', '-t', 'ordinary user'], {
      CI: '',
      SLUICE_TEST_CHROMIUM: anExecutable('chromium'),
      SLUICE_TEST_PYTHON: anExecutable('python3'),
      SLUICE_TEST_NOTEBOOK: anExecutable('python3'),
    });
    expect(stderr).toMatch(/Tests:\s+4 skipped, 1 passed/);
    expect(stdout).not.toMatch(/lint|build/);
    expect(status).toBe(0);
  });
});

test('a benchmark or fault that is nothing without a tool says so before it builds anything', () => {
  const program = join(folder, 'no-such-server');
  const env = { ...process.env, SLUICE_TEST_REDIS: program };
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'bench.mjs'), 'L21'], {
    ...{ env, encoding: 'utf8' },
  });
  expect(stderr).toBe(
    `error: no redis-server (6.2 or newer) was found: SLUICE_TEST_REDIS is ${program}, which is not an executable file\n` +
      'hint: install redis ≥ 6.2, or set SLUICE_TEST_REDIS to the executable of its server\n',
  );
  expect(status).toBe(2);
});

function anExecutable(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, 0o755);
  return path;
}
