import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Assignment } from '#core';
import { createFileStorage, type EnvironmentStorage } from '#storage';
import { startTicks } from './child/process-file.mjs';
import { anAssignment, anExecutor, type ExecutorFixture } from './executor-fixture.ts';

const python = process.env.SLUICE_TEST_NOTEBOOK;
/** It starts real kernels, for which Python's nbclient and ipykernel are needed. */
const withKernel = python === undefined ? test.skip : test;

interface Cell {
  readonly cell_type: string;
  readonly source: string;
  readonly metadata: { readonly tags?: readonly string[] };
  readonly outputs?: readonly { readonly output_type: string; readonly text?: string }[];
}

function notebook(cells: readonly (string | readonly [tag: string, source: string])[], language = 'python'): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 4,
    metadata: { kernelspec: { name: 'whatever', display_name: 'x', language } },
    cells: cells.map((cell) => ({
      ...{ cell_type: 'code', execution_count: null, outputs: [] },
      metadata: typeof cell === 'string' ? {} : { tags: [cell[0]] },
      source: typeof cell === 'string' ? cell : cell[1],
    })),
  });
}

const FILES = {
  'reports/daily.ipynb': notebook([
    'import os, helper',
    ['parameters', 'region, rows = "nowhere", 0'],
    ['injected-parameters', 'region = "of an earlier run"'],
    'print("rows of", region, rows, helper.half(rows), ctx.ds)\nprint("::metric name=auc value=0.91::")',
    'open(os.environ["SLUICE_OUTPUT"], "a").write("rows=%d\\n" % rows)\nctx.output("dsn", ctx.secrets["DSN"]); ctx.secrets["DSN"]',
  ]),
  'reports/helper.py': 'def half(n): return n / 2\n',
  'broken.ipynb': notebook(['x = 1', '# rows that are bad\nraise ValueError("bad row 7")', 'x = 2']),
  'skip.ipynb': notebook(['ctx.skip("nothing new")']),
  'stop.ipynb': notebook(['import sys\nsys.exit(0)', 'raise ValueError("never")']),
  'dead.ipynb': notebook(['import os, signal\nos.kill(os.getpid(), signal.SIGKILL)']),
  'stubborn.ipynb': notebook([
    'import os, signal, subprocess, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)',
    'print("pid", os.getpid(), subprocess.Popen(["sleep", "1000"]).pid)\nwhile True: time.sleep(1)',
  ]),
  'other.ipynb': notebook(['1'], 'R'),
  'none.ipynb': '{"cells": 3',
};

let world: ExecutorFixture;
let storage: EnvironmentStorage;
beforeAll(async () => {
  world = await anExecutor(FILES, {
    ...(python === undefined ? {} : { python }),
    path: '/usr/bin:/bin',
    graceMs: 1_000,
    secretValues: { DSN: 'postgres://secret-dsn' },
    storage: (root) => (storage = createFileStorage({ root, durable: false })),
  });
});
afterAll(() => world.stop());

function task(file: string, over: Partial<Assignment> = {}, save: { path: string; file: string } | null = null) {
  return anAssignment({
    body: { kind: 'notebook', file, parameters: { region: 'north', rows: 9, from: 1 }, save },
    ...over,
  });
}

async function kept({ runId, taskId, mapIndex, number }: Assignment): Promise<{ text: string; cells: Cell[] }> {
  const content = await storage.readArtefact({ runId, taskId, mapIndex, number, name: 'notebook.ipynb' });
  const text = content!.toString();
  return { text, cells: (JSON.parse(text) as { cells: Cell[] }).cells };
}

withKernel(
  'parameters go behind the tagged cell; outputs, metrics and the executed notebook are kept, without secrets',
  async () => {
    const writes = [{ name: 'report', variable: 'PATH_REPORT', location: 'p/report' }];
    const secrets = { DSN: { env: 'DSN' } };
    const context = { ...anAssignment().context, ds: '2026-01-01' };
    const attempt = task('reports/daily.ipynb', { writes, secrets, context }, { path: 'report', file: 'daily.ipynb' });
    const result = await world.run(attempt);
    expect(result.outcome).toEqual({ kind: 'success' });
    expect(result.outputs).toEqual({ rows: 9, dsn: '***' });
    expect(result.metrics).toMatchObject([{ name: 'auc', value: 0.91 }]);
    expect(world.logOf(attempt)).toEqual([
      'out parameter from is a word of Python: the notebook finds it in ctx.params only',
      'out rows of north 9 4.5 2026-01-01',
      'out ::metric name=auc value=0.91::',
    ]);
    const { text, cells } = await kept(attempt);
    expect(cells.map(({ metadata }) => metadata.tags?.[0])).toEqual([
      undefined,
      'parameters',
      'injected-parameters',
      undefined,
      undefined,
    ]);
    expect(cells[2]?.source).toBe("# Parameters of this run\nregion = 'north'\nrows = 9");
    expect(cells[3]?.outputs).toMatchObject([{ text: expect.stringMatching(/^rows of north 9/) }]);
    expect(text).toContain('***');
    expect(text).not.toContain('secret-dsn');
    const saved = join(await storage.folder(result.versions[0]!.version), 'daily.ipynb');
    expect(await readFile(saved, 'utf8')).toBe(text);
  },
);

withKernel.each([
  [
    'broken',
    {
      kind: 'failed',
      exitCode: 1,
      message: 'ValueError: bad row 7 (broken.ipynb, cell 3 of 4: raise ValueError("bad row 7"))',
    },
  ],
  ['skip', { kind: 'skipped', message: 'nothing new' }],
  ['stop', { kind: 'success' }],
  [
    'dead',
    {
      kind: 'failed',
      exitCode: 1,
      message: expect.stringMatching(/^the kernel died.* \(dead\.ipynb, cell 2 of 2: import os/),
    },
  ],
  ['other', { kind: 'failed', exitCode: 1, message: 'other.ipynb is written in R; expected python' }],
  ['none', { kind: 'failed', exitCode: 1, message: expect.stringMatching(/^none\.ipynb is not a notebook: /) }],
])('%s', async (name, outcome) => {
  const attempt = task(`${name}.ipynb`);
  expect((await world.run(attempt)).outcome).toEqual(outcome);
  if (name !== 'broken') return;
  expect(world.logOf(attempt).join('\n')).toMatch(/err ValueError\s+Traceback[\s\S]*err ValueError: bad row 7\nsys/);
  const { cells } = await kept(attempt);
  expect(cells.map(({ outputs }) => outputs?.map((one) => one.output_type))).toEqual([[], [], ['error'], []]);
});

withKernel(
  'ending it kills the kernel and what it started, though it ignores TERM, and keeps what was shown',
  async () => {
    const attempt = task('stubborn.ipynb');
    const result = world.run(attempt);
    const [, kernel, child] = /pid (\d+) (\d+)/.exec(await world.lineOf(attempt, /^pid/))!;
    world.executor.cancel(attempt.attemptId, 'enough');
    expect((await result).outcome).toEqual({ kind: 'cancelled', message: 'cancelled: enough' });
    expect([startTicks(Number(kernel)), startTicks(Number(child))]).toEqual([null, null]);
    expect((await kept(attempt)).text).toContain(`pid ${kernel}`);
  },
);

test('says what to install where the interpreter lacks it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bare-'));
  const bare = join(folder, 'python3');
  await writeFile(bare, '#!/bin/sh\nexec /usr/bin/env python3 -S "$@"\n', { mode: 0o755 });
  const without = await anExecutor(FILES, { python: bare });
  const attempt = task('stop.ipynb');
  const { outcome } = await without.run(attempt);
  await without.stop();
  expect(outcome).toMatchObject({
    kind: 'failed',
    message: expect.stringMatching(
      /^notebook tasks need nbclient and ipykernel, and \S+ lacks ipykernel; install them: /,
    ),
  });
  await rm(folder, { recursive: true });
});
