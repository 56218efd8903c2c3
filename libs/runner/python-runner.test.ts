import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Assignment } from '#core';
import { createFileStorage } from '#storage';
import { startTicks } from './child/process-file.mjs';
import { anAssignment, anExecutor, besideSlowLog, type ExecutorFixture } from './executor-fixture.ts';

const FILES = {
  'churn/train.py': `
import os, json
from helper import half
state = []
def run(ctx):
    state.append(1)
    print("training", ctx.params["n"], ctx.ds, ctx.interval.start)
    ctx.metric("auc", 0.5, step=1)
    ctx.metric("bad", float("nan"))
    ctx.progress(1, 2, "half way")
    ctx.summary("# model")
    open(os.path.join(ctx.out["models"], "model.json"), "w").write(json.dumps({"n": 1}))
    return {"half": half(ctx.params["n"]), "calls": len(state), "attempt": ctx.attempt.number}
def fail(ctx):
    raise ValueError("bad row 7")
def skip(ctx): ctx.skip("nothing new")
def later(ctx): ctx.retry_after("30s", "not yet")
def text(ctx): return "text"
def loud(ctx):
    for _ in range(16_384): print("x" * 1_023)
def stop(ctx): raise SystemExit("no more")
def where(ctx): return {"pid": os.getpid(), "group": os.getpgid(0), "cwd": os.getcwd() == ctx.scratch, "files": sorted(os.listdir("."))}
`,
  'churn/helper.py': 'def half(n): return n / 2\n',
  'stubborn.py': `
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("pid", subprocess.Popen(["sleep", "1000"]).pid)
while True: time.sleep(1)
`,
  'script.py': `
import os, sys
print("script", __name__, os.environ["DS"], sys.argv == [os.environ["SLUICE_RELEASE_DIR"] + "/script.py"])
print("::output rows=3::")
open(os.environ["SLUICE_OUTPUT"], "a").write("name=x\\n")
sys.exit(int(os.environ.get("CODE", "0")))
`,
};

describe('a python task', () => {
  let world: ExecutorFixture;
  beforeAll(async () => {
    world = await anExecutor(FILES, {
      path: '/usr/bin:/bin',
      graceMs: 1_000,
      storage: (root) => createFileStorage({ root, durable: false }),
    });
  });
  afterAll(() => world.stop());

  function python(name: string | null, over: Partial<Assignment> = {}, file = 'churn/train.py'): Assignment {
    return anAssignment({ body: { kind: 'python', file, module: null, function: name }, ...over });
  }

  test('calls a function of a file with a ctx, in a process of its own', async () => {
    const interval = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };
    const context = { ...anAssignment().context, params: { n: 9 }, ds: '2026-01-01', interval };
    const writes = [{ name: 'models', variable: 'PATH_MODELS', location: 'p/models' }];
    for (const attempt of [1, 2]) {
      const task = python('run', { context, writes, number: attempt });
      const result = await world.run(task);
      expect(result.outcome).toEqual({ kind: 'success' });
      expect(result.outputs).toEqual({ half: 4.5, calls: 1, attempt });
      expect(result.metrics).toMatchObject([{ name: 'auc', value: 0.5, step: 1 }]);
      expect(result.summary).toBe('# model');
      expect(result.versions).toMatchObject([{ name: 'models', files: 1 }]);
      expect(world.logOf(task)).toEqual([
        'out training 9 2026-01-01 2026-01-01T00:00:00Z',
        'out ::progress 1/2 half way::',
        'sys metric bad: the value "nan" is not a finite number',
      ]);
    }
  });

  test('calls a function of a module', async () => {
    const body = { kind: 'python', file: null, module: 'churn.train', function: 'where' } as const;
    const result = await world.run(anAssignment({ body }));
    expect(result.outcome).toMatchObject({
      kind: 'failed',
      message: "ModuleNotFoundError: No module named 'helper' (churn/train.py:3)",
    });
  });

  test('runs a file as a script', async () => {
    const task = python(null, { env: { DS: '2026-01-01' } }, 'script.py');
    const result = await world.run(task);
    expect(world.logOf(task)).toEqual(['out script __main__ 2026-01-01 True', 'out ::output rows=3::']);
    expect(result).toMatchObject({ outcome: { kind: 'success' }, outputs: { rows: 3, name: 'x' } });
    const failing = await world.run(python(null, { env: { DS: '', CODE: '3' } }, 'script.py'));
    expect(failing.outcome).toEqual({ kind: 'failed', exitCode: 3, message: 'exit code 3' });
  });

  test.each([
    ['fail', { kind: 'failed', exitCode: 1, message: 'ValueError: bad row 7 (churn/train.py:15)' }],
    ['skip', { kind: 'skipped', message: 'nothing new' }],
    ['later', { kind: 'deferred', afterMs: 30_000, message: 'not yet' }],
    [
      'text',
      { kind: 'failed', exitCode: 1, message: 'TypeError: text() returned str: expected a dict of outputs, or None' },
    ],
    ['stop', { kind: 'failed', exitCode: 1, message: 'no more' }],
    [
      'nowhere',
      {
        kind: 'failed',
        exitCode: 1,
        message: expect.stringMatching(/^AttributeError: train has no function 'nowhere' \(it has: fail, half/),
      },
    ],
  ])('%s', async (name, outcome) => {
    expect((await world.run(python(name))).outcome).toEqual(outcome);
  });

  test('shows the traceback of the user, not ours', async () => {
    const task = python('fail');
    await world.run(task);
    const log = world.logOf(task).join('\n');
    expect(log).toMatch(/err Traceback \(most recent call last\):\nerr {3}File ".*churn\/train\.py", line 15, in fail/);
    expect(log).not.toMatch(/python_attempt/);
  });

  test('is a process group of its own, in scratch', async () => {
    const { outputs } = await world.run(python('where'));
    expect(outputs).toEqual({
      pid: outputs.group,
      group: outputs.pid,
      cwd: true,
      files: ['churn', 'script.py', 'stubborn.py'],
    });
  });

  test('waits while its log does not keep up, alone among those of its interpreter, and nothing of what it said is lost', async () => {
    const { heldAt, others, result } = await besideSlowLog(FILES, python('loud'));
    expect(heldAt).toBeLessThan(16_384 / 2);
    expect(others).toEqual([16_384, 16_384, 16_384]);
    expect(result).toMatchObject({ outcome: { kind: 'success' }, logLines: 16_384 });
  });

  test('is killed with its children when it times out, though it ignores TERM', async () => {
    const task = python(null, { timeoutMs: 1_000 }, 'stubborn.py');
    expect((await world.run(task)).outcome).toEqual({ kind: 'timed_out', message: 'timed out after 1 s' });
    const [, child] = /pid (\d+)/.exec(world.logOf(task).join())!;
    expect(startTicks(Number(child))).toBeNull();
    expect((await world.run(python('where'))).outcome).toEqual({ kind: 'success' });
  });

  test('fails when what calls itself python answers nonsense', async () => {
    const bare = await anExecutor({ python: '#!/bin/sh\necho nonsense >&3\nexec sleep 1000\n' });
    const python3 = join(bare.releaseDir, 'python');
    chmodSync(python3, 0o700);
    const other = await anExecutor(FILES, { python: python3 });
    expect((await other.run(python('where'))).outcome).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('could not be started (its answer cannot be read: a message of'),
    });
    await other.stop();
    await bare.stop();
  });

  test('says what to do when there is no python', async () => {
    const bare = await anExecutor(FILES, { python: 'python3-is-not-here' });
    const result = await bare.run(python('where'));
    expect(result.outcome).toMatchObject({
      kind: 'failed',
      message:
        'python3-is-not-here could not be started (not found): python tasks need Python 3.9 or later on the PATH of the server',
    });
    await bare.stop();
  });
});
