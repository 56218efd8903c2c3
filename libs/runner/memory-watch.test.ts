import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTicks } from './child/process-file.mjs';
import { anAssignment, anExecutor, shell, type ExecutorFixture } from './executor-fixture.ts';

const MIB = 2 ** 20;
/** What has been killed is gone when the kernel comes to it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Takes 300 MiB and keeps them. */
const HOARD = `console.log('pid', process.pid); const held = Buffer.alloc(300 * 2 ** 20, 1); console.log('full'); setInterval(() => held, 1000);`;
const MORE = {
  kind: 'failed',
  exitCode: 137,
  message: expect.stringMatching(/^it held \d+(\.\d+)? MiB of memory, its resources say 128 MiB$/),
};

describe('a task that takes more memory than its resources say', () => {
  let world: ExecutorFixture;
  beforeAll(async () => {
    world = await anExecutor({
      'leaves.mjs': `
        let calls = 0;
        const left = [];
        export const leave = ({ env }) => {
          calls += 1;
          if (env.LEAVE) left.push(Buffer.alloc(100 * 2 ** 20, 1));
          return { calls };
        };`,
      'hoard.mjs': `export const hoard = () => { ${HOARD} return new Promise(() => {}); };`,
    });
  });
  afterAll(() => world.stop());

  test('is ended with that reason, whoever of it takes it; its neighbour, which may, goes on', async () => {
    const neighbour = shell(`node -e "${HOARD}"`, { resources: { memory: 2 ** 30 } });
    const other = world.run(neighbour);
    await world.lineOf(neighbour, /^full/);
    // In a session of its own, as some daemons are.
    const greedy = shell(`setsid -w node -e "${HOARD}"`, { resources: { memory: 128 * MIB } });
    const { outcome } = await world.run(greedy);
    expect(outcome).toEqual(MORE);
    expect(world.logOf(greedy).at(-1)).toBe(`sys ${'message' in outcome ? outcome.message : ''}`);
    const pidOf = (task: typeof greedy): number => Number(/^out pid (\d+)/m.exec(world.logOf(task).join('\n'))![1]);
    await until(() => startTicks(pidOf(greedy)) === null);
    expect(startTicks(pidOf(neighbour))).not.toBeNull();
    world.executor.cancel(neighbour.attemptId, 'enough');
    expect((await other).outcome).toEqual({ kind: 'cancelled', message: 'cancelled: enough' });
  });

  test('ends with the warm process that serves it', async () => {
    const task = anAssignment({
      body: { kind: 'node', file: 'hoard.mjs', export: 'hoard' },
      resources: { memory: 128 * MIB },
    });
    expect((await world.run(task)).outcome).toEqual(MORE);
  });

  test('is not blamed for what an earlier attempt left in the process that serves both', async () => {
    const body = { kind: 'node', file: 'leaves.mjs', export: 'leave' } as const;
    const first = await world.run(anAssignment({ body, env: { LEAVE: '1' } }));
    const again = await world.run(anAssignment({ body }));
    const held = await world.run(anAssignment({ body, resources: { memory: 128 * MIB } }));
    expect([first, again, held].map(({ outputs }) => outputs.calls)).toEqual([1, 2, 1]);
  });

  test('is left alone when it asked for no memory', async () => {
    const task = shell(`node -e "${HOARD}"`, { resources: { cpu: 1 } });
    const result = world.run(task);
    // Another one is ended meanwhile: somebody looked.
    await world.lineOf(task, /^full/);
    const greedy = shell(`node -e "${HOARD}"`, { resources: { memory: 128 * MIB } });
    expect((await world.run(greedy)).outcome).toEqual(MORE);
    world.executor.cancel(task.attemptId, 'enough');
    expect((await result).outcome).toMatchObject({ kind: 'cancelled' });
  });
});

test.each([
  ['kill -9 $$', null, 'ended by SIGKILL, and not by Sluice: most likely by the kernel, out of memory'],
  [
    'bash -c "kill -9 \\$\\$"; true',
    137,
    'exit code 137 (a command was ended by SIGKILL, and not by Sluice: most likely',
  ],
])('what somebody else kills says who it may have been: %s', async (script, exitCode, message) => {
  const world = await anExecutor();
  expect((await world.run(shell(script))).outcome).toEqual({
    kind: 'failed',
    exitCode,
    message: expect.stringContaining(message),
  });
  await world.stop();
});
