import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Assignment } from '#core';
import { anAssignment, anExecutor, type ExecutorFixture } from './executor-fixture.ts';

type Use = Extract<Assignment['body'], { kind: 'uses' }>;

function use(plugin: string, input: Use['input'] = {}, over: Partial<Use> = {}): Assignment {
  const body = { kind: 'uses', plugin, version: '1.0.0', package: null, entry: 'plugin.mjs', input, ...over } as const;
  return anAssignment({ body });
}

const GREET = `
  let served = 0;
  export async function run(ctx, { who, wait }) {
    if (wait) { ctx.log('waiting'); await new Promise((resolve) => setTimeout(resolve, 60_000)); }
    if (who === 'nobody') throw new RangeError('nobody is there');
    if (who === 'later') ctx.retryAfter('5s', 'not yet');
    ctx.metric('letters', who.length);
    ctx.summary('# ' + who);
    return { hello: who, pid: process.pid, served: (served += 1) };
  }`;

describe('a plugin', () => {
  let world: ExecutorFixture;
  let project: string;
  beforeAll(async () => {
    world = await anExecutor({ 'plugins/greet/plugin.mjs': GREET }, { graceMs: 0 });
    project = join(world.folder, 'project');
  });
  afterAll(() => world.stop());

  test('runs in a warm worker, never in this process, with what `with:` says', async () => {
    const first = await world.run(use('greet', { who: 'anna' }));
    expect(first).toMatchObject({
      outcome: { kind: 'success' },
      outputs: { hello: 'anna', served: 1 },
      metrics: [{ name: 'letters', value: 4 }],
      summary: '# anna',
    });
    const second = await world.run(use('greet', { who: 'bo' }));
    expect(second.outputs).toMatchObject({ hello: 'bo', served: 2, pid: first.outputs.pid });
    expect(first.outputs.pid).not.toBe(process.pid);
  });

  test('that fails or asks for time is named, with its version', async () => {
    expect((await world.run(use('greet', { who: 'nobody' }))).outcome).toMatchObject({
      message: 'plugin greet@1.0.0: RangeError: nobody is there (plugins/greet/plugin.mjs:5:33)',
    });
    expect((await world.run(use('greet', { who: 'later' }))).outcome).toEqual({
      kind: 'deferred',
      afterMs: 5_000,
      message: 'plugin greet@1.0.0: not yet',
    });
    expect((await world.run(use('greet', {}, { entry: 'other.mjs' }))).outcome).toMatchObject({
      message: expect.stringMatching(/^plugin greet@1.0.0: Error: Cannot find module .*other\.mjs/),
    });
  });

  test('ends when it is cancelled', async () => {
    const task = use('greet', { who: 'x', wait: true });
    const result = world.run(task);
    await world.lineOf(task, /waiting/);
    world.executor.cancel(task.attemptId, 'by anna');
    expect((await result).outcome).toEqual({ kind: 'cancelled', message: 'cancelled: by anna' });
  });

  test('from npm has to be installed in the very version of the release', async () => {
    const files = {
      'package.json': '{ "name": "@acme/hi", "version": "2.1.0", "type": "module" }',
      'lib/run.js': 'export const run = (ctx, input) => ({ hi: input.who });',
    };
    for (const [name, text] of Object.entries(files)) {
      const file = join(project, 'node_modules', '@acme', 'hi', name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const other = await anExecutor({}, { moduleRoot: project });
    const hi = (version: string, name = '@acme/hi'): Assignment =>
      use('hi', { who: 'you' }, { package: name, version, entry: 'lib/run.js' });
    expect((await other.run(hi('2.1.0'))).outputs).toEqual({ hi: 'you' });
    expect((await other.run(hi('2.0.0'))).outcome).toMatchObject({
      message: expect.stringMatching(
        /^plugin hi@2.0.0: Error: the npm package @acme\/hi is installed in version 2.1.0, and the release was made with 2.0.0; run/,
      ),
    });
    expect((await other.run(hi('1.0.0', 'nowhere'))).outcome).toMatchObject({
      message: expect.stringMatching(/the npm package nowhere is not installed; run `npm install nowhere@1.0.0`/),
    });
    await other.stop();
  });
});
