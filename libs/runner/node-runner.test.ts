import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { anAssignment, anExecutor, besideSlowLog, type ExecutorFixture } from './executor-fixture.ts';
import type { Assignment } from '#core';

const FILES = {
  'tasks.mjs': `
    import fs from 'node:fs';
    let calls = 0;
    export const noop = () => {};
    export const pid = () => ({ pid: process.pid, calls: ++calls });
    export const fail = () => { throw new TypeError('bad row 7'); };
    export const env = (ctx) => ({ names: Object.keys(process.env).sort(), region: ctx.vars.region, mine: ctx.env.MINE });
    export const talk = (ctx) => {
      console.log('to stdout'); console.error('to stderr'); ctx.log('by ctx', { a: 1 });
      ctx.metric('auc', 0.75, 2); ctx.metric('nan', NaN); ctx.output('rows', 3n); ctx.progress(1, 2, 'half'); ctx.summary('# sum');
      return { more: [1, { deep: true }] };
    };
    export const scratch = (ctx) => { fs.writeFileSync(ctx.scratch + '/x', 'x'); return { at: ctx.scratch, here: fs.readdirSync('.') }; };
    export const later = () => { setTimeout(() => console.log('a voice from the past'), 20); };
    export const wait = () => new Promise((resolve) => setTimeout(resolve, 60));
    export const raw = async () => { const { execSync } = await import('node:child_process'); execSync('echo from a child', { stdio: 'inherit' }); };
    export const past = ({ params: { mark, size } }) => { const bytes = Buffer.from(mark + ': ' + 'x'.repeat(size) + '\\n'); for (let at = 0; at < bytes.length;) try { at += fs.writeSync(1, bytes, at); } catch (error) { if (error.code !== 'EAGAIN') throw error; } };
    export const vague = (ctx) => { ctx.progress(1); ctx.progress(NaN, 2); ctx.progress('1', 2); ctx.progress(-1, 2); ctx.progress(0.5, 2); };
    export const loud = () => { for (let line = 0; line < 16_384; line += 1) console.log('x'.repeat(1_023)); };
    const frame = (type, text) => { const head = Buffer.alloc(9); head.writeUInt32LE(text.length, 0); head.writeUInt8(type, 4); return Buffer.concat([head, Buffer.from(text)]); };
    const meddling = { torn: frame(4, '{"type":'), nothing: frame(4, 'null'), end: frame(5, '{"kind":"exited"}'), large: 'hello, world' };
    export const meddle = (ctx) => { fs.writeSync(3, meddling[ctx.params.how]); return new Promise(() => setInterval(() => {}, 1_000)); };
    export const skip = (ctx) => ctx.skip('nothing to do');
    export const defer = (ctx) => ctx.retryAfter('30s', 'not yet');
    export const exit = () => process.exit(0);
    export const text = () => 'text';
    export const forever = () => { console.log('spinning'); for (;;); };
    export const polite = (ctx) => new Promise((resolve) => { console.log('ready'); ctx.signal.addEventListener('abort', () => { console.log('tidied'); resolve(); }); });
  `,
  'bomb.mjs': `
    export const leave = () => { setTimeout(() => { throw new Error('too late'); }, 30); };
    export const quick = () => ({ pid: process.pid });
    export const slow = () => new Promise((resolve) => setTimeout(resolve, 5_000));
  `,
  'packages.mjs': `
    import { createRequire } from 'node:module';
    import { DateTime } from 'luxon';
    export const run = () => ({ year: DateTime.fromISO('2026-01-01').year, required: typeof createRequire(import.meta.url)('luxon').DateTime });
    export const missing = () => import('no-such-package');
  `,
  'typed.ts': `
    import { half } from './half.ts';
    enum Level { Low = 1 }
    export async function run(ctx: { params: { n: number } }): Promise<{ half: number; level: Level }> {
      if (ctx.params.n < 0) throw new RangeError('negative');
      return { half: half(ctx.params.n), level: Level.Low };
    }`,
  'half.ts': 'export const half = (n: number): number => n / 2;',
};

function node(name: string, over: Partial<Assignment> = {}, file = 'tasks.mjs'): Assignment {
  return anAssignment({ body: { kind: 'node', file, export: name }, ...over });
}

describe('a node task', () => {
  let world: ExecutorFixture;
  beforeAll(async () => {
    world = await anExecutor(FILES, { graceMs: 2_000 });
  });
  afterAll(() => world.stop());

  test('stays warm: the next attempt is served by the same process', async () => {
    const first = await world.run(node('pid'));
    const second = await world.run(node('pid'));
    expect(first.outcome).toEqual({ kind: 'success' });
    expect(second.outputs).toEqual({ pid: first.outputs.pid, calls: Number(first.outputs.calls) + 1 });
  });

  test('gets a new process in another environment, another release and after an error', async () => {
    const first = await world.run(node('pid'));
    const elsewhere = await world.run(node('pid', { environment: 'prod' }));
    const newer = await world.run(node('pid', { release: 'other' }));
    const failed = node('fail');
    expect((await world.run(failed)).outcome).toEqual({
      kind: 'failed',
      exitCode: null,
      message: 'TypeError: bad row 7 (tasks.mjs:6:39)',
    });
    expect(world.logOf(failed).join('\n')).toMatch(/err TypeError: bad row 7\nerr {5}at fail \(.*tasks\.mjs:6:39\)/);
    const after = await world.run(node('pid'));
    expect(new Set([first, elsewhere, newer, after].map((result) => result.outputs.pid)).size).toBe(4);
  });

  test('says metrics, outputs, progress and a summary through ctx', async () => {
    const task = node('talk');
    const result = await world.run(task);
    expect(result).toMatchObject({ outputs: { rows: 3, more: [1, { deep: true }] }, summary: '# sum' });
    expect(result.metrics).toMatchObject([{ name: 'auc', value: 0.75, step: 2 }]);
    expect(world.logOf(task)).toEqual([
      'out to stdout',
      'err to stderr',
      'out by ctx { a: 1 }',
      'sys metric nan: the value "NaN" is not a finite number',
    ]);
    expect(world.reports).toContainEqual(
      expect.objectContaining({ kind: 'progress', done: 1, total: 2, label: 'half' }),
    );
  });

  test('says no progress without numbers', async () => {
    const task = node('vague');
    expect((await world.run(task)).outcome).toEqual({ kind: 'success' });
    const said = world.reports.filter((one) => one.kind === 'progress' && one.attemptId === task.attemptId);
    expect(said).toMatchObject([{ done: 0.5, total: 2 }]);
    expect(world.logOf(task)).toEqual(
      ['1 of undefined', 'null of 2', '"1" of 2', '-1 of 2'].map(
        (what) => `sys progress ${what}: expected two numbers from 0 on`,
      ),
    );
  });

  test('has a clean, constant process environment; values come in ctx', async () => {
    const context = { ...anAssignment().context, vars: { region: 'eu' } };
    const result = await world.run(node('env', { context, env: { MINE: '1', PARAM_X: '2' } }));
    expect(result.outputs).toEqual({
      names: ['HOME', 'LANG', 'PATH', 'PYTHONDONTWRITEBYTECODE', 'PYTHONUNBUFFERED', 'SLUICE_PROCESS', 'TMPDIR', 'TZ'],
      region: 'eu',
      mine: '1',
    });
  });

  test('has a scratch folder of its own, and the release where it stands', async () => {
    const result = await world.run(node('scratch'));
    expect(result.outputs.here).toEqual(['bomb.mjs', 'half.ts', 'packages.mjs', 'tasks.mjs', 'typed.ts']);
    expect(
      (await world.run(anAssignment({ body: { kind: 'run', script: `[ ! -e ${String(result.outputs.at)} ]` } })))
        .outcome.kind,
    ).toBe('success');
  });

  test('does not hear what an earlier attempt still says', async () => {
    await world.run(node('later'));
    const next = node('wait');
    await world.run(next);
    expect(world.logOf(next)).toEqual([]);
  });

  test('is lost, not failed, when an error of an earlier attempt ends its process', async () => {
    await world.run(node('leave', {}, 'bomb.mjs'));
    const slow = await world.run(node('slow', {}, 'bomb.mjs'));
    expect(slow.outcome).toEqual({
      kind: 'lost',
      message: 'an error that an earlier attempt left behind ended the process: Error: too late',
    });
    const { outputs } = await world.run(node('quick', {}, 'bomb.mjs'));
    expect(outputs.pid).toEqual(expect.any(Number));
  });

  test.each([
    ['torn', 'Unexpected end of JSON input'],
    ['nothing', expect.any(String)],
    ['end', 'an end of no known kind'],
    ['large', 'a message of 1819043176 bytes, at most 16777216 are allowed'],
  ])('fails when it writes something to fd 3 that cannot be read (%s), and the next one runs', async (how, reason) => {
    const context = { ...anAssignment().context, params: { how } };
    const { outcome } = await world.run(node('meddle', { context }));
    const [, said] = /^what came through file descriptor 3, which .+, cannot be read: (.+)$/.exec(
      outcome.kind === 'failed' ? outcome.message : '',
    )!;
    expect(said).toEqual(reason);
    expect((await world.run(node('noop'))).outcome).toEqual({ kind: 'success' });
  });

  test('finds the packages of the project from a release that lies elsewhere', async () => {
    const elsewhere = await anExecutor(FILES, { moduleRoot: join(import.meta.dirname, '..', '..') });
    const found = await elsewhere.run(node('run', {}, 'packages.mjs'));
    expect(found.outputs).toEqual({ year: 2026, required: 'function' });
    const missing = await elsewhere.run(node('missing', {}, 'packages.mjs'));
    expect(missing.outcome).toMatchObject({
      message: expect.stringMatching(/Cannot find package 'no-such-package' imported from .*packages\.mjs/),
    });
    await elsewhere.stop();
    const without = await world.run(node('run', {}, 'packages.mjs'));
    expect(without.outcome).toMatchObject({ message: expect.stringMatching(/Cannot find package 'luxon'/) });
  });

  test('logs what its own child processes write, before it ends', async () => {
    const task = node('raw');
    await world.run(task);
    expect(world.logOf(task)).toEqual(['out from a child']);
  });

  test('what an attempt writes past node is in its own log and whole, also when many end at the same time', async () => {
    const sizes = [1, 300, 64_000, 65_536, 200_000];
    const logs = { maxBytes: 2 ** 20, maxLineBytes: 2 ** 20 };
    const { context } = node('past');
    const tasks = Array.from({ length: 60 }, (_, i) =>
      node('past', { logs, context: { ...context, params: { mark: i, size: sizes[i % sizes.length] } } }),
    );
    await Promise.all(tasks.map((task) => world.run(task)));
    const found = tasks.map((task) => world.logOf(task).map((line) => [line.length, line.replace(/x+$/, '')]));
    expect(found).toEqual(tasks.map((_, i) => [[6 + String(i).length + sizes[i % sizes.length]!, `out ${i}: `]]));
  });

  test.each([
    ['skip', { kind: 'skipped', message: 'nothing to do' }],
    ['defer', { kind: 'deferred', afterMs: 30_000, message: 'not yet' }],
    ['exit', { kind: 'failed', exitCode: null, message: 'the process exited with code 0 before the task was done' }],
    [
      'text',
      {
        kind: 'failed',
        exitCode: null,
        message: 'the function returned a string: expected an object of outputs, or nothing',
      },
    ],
    [
      'nowhere',
      {
        kind: 'failed',
        exitCode: null,
        message: expect.stringContaining('no exported function "nowhere" (it exports: defer, env'),
      },
    ],
  ])('%s', async (name, outcome) => {
    expect((await world.run(node(name))).outcome).toEqual(outcome);
  });

  test('waits while its log does not keep up, and nothing of what it said is lost', async () => {
    const { heldAt, others, result } = await besideSlowLog(FILES, node('loud'));
    expect(heldAt).toBeLessThan(16_384 / 2);
    expect(others).toEqual([16_384, 16_384, 16_384]);
    expect(result).toMatchObject({ outcome: { kind: 'success' }, logLines: 16_384 });
  });

  test('may be written in TypeScript, and its errors name the line of the source', async () => {
    const context = { ...anAssignment().context, params: { n: 9 } };
    expect((await world.run(node('run', { context }, 'typed.ts'))).outputs).toEqual({ half: 4.5, level: 1 });
    const negative = { ...context, params: { n: -1 } };
    expect((await world.run(node('run', { context: negative }, 'typed.ts'))).outcome).toMatchObject({
      message: 'RangeError: negative (typed.ts:5:35)',
    });
  });

  test('is killed when it times out, even in an endless loop', async () => {
    const task = node('forever', { timeoutMs: 300 });
    const result = await world.run(task);
    expect(result.outcome).toEqual({ kind: 'timed_out', message: 'timed out after 0.3 s' });
    expect((await world.run(node('pid'))).outcome).toEqual({ kind: 'success' });
  });

  test('may tidy up when ctx.signal aborts', async () => {
    const task = node('polite');
    const result = world.run(task);
    await world.lineOf(task, /ready/);
    world.executor.cancel(task.attemptId, 'by anna');
    expect((await result).outcome).toEqual({ kind: 'cancelled', message: 'cancelled: by anna' });
    expect(world.logOf(task)).toEqual([
      'out ready',
      'sys cancelled: by anna: ending its processes',
      'out tidied',
      'sys cancelled: by anna',
    ]);
  });
});
