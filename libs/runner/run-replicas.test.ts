import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Assignment } from '#core';
import { examplesOf } from '../testing/examples.ts';
import { anAssignment, anExecutor, shell, type ExecutorFixture } from './executor-fixture.ts';

/** Rank 0 adds up what all have, and tells everybody the sum. */
const ALL_REDUCE = `
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export async function allReduce({ env, output, metric }) {
  const [rank, size, port] = [env.RANK, env.WORLD_SIZE, env.MASTER_PORT].map(Number);
  const own = (rank + 1) * 10;
  const sum = rank === 0 ? await gather(own, size, port) : await tell(own, env.MASTER_ADDR, port);
  console.log(\`the sum is \${sum}\`);
  metric('sum', sum);
  output('sum', sum);
}

async function gather(own, size, port) {
  const server = net.createServer().listen(port);
  const others = [];
  let sum = own;
  while (others.length < size - 1) {
    const [socket] = await once(server, 'connection');
    sum += Number((await once(socket, 'data'))[0]);
    others.push(socket);
  }
  for (const socket of others) socket.end(String(sum));
  server.close();
  return sum;
}

async function tell(own, host, port) {
  for (;;) {
    const socket = net.connect(port, host);
    try {
      await once(socket, 'connect');
    } catch {
      await pause(20);
      continue;
    }
    socket.write(String(own));
    return Number((await once(socket, 'data'))[0]);
  }
}
`;

let world: ExecutorFixture;
beforeAll(async () => {
  const [program = ''] = examplesOf('docs/replicas.md', 'python', 1);
  world = await anExecutor({ 'reduce.mjs': ALL_REDUCE, 'train.py': program }, { concurrency: 4, graceMs: 100 });
});
afterAll(() => world.stop());

/** In no order: replicas write side by side. */
function linesOf(task: Assignment): string[] {
  return world.logOf(task).sort();
}

test('two replicas compute a sum over TCP; rank 0 gives the outputs, and metrics of others bear their rank', async () => {
  const body = { kind: 'node', file: 'reduce.mjs', export: 'allReduce' } as const;
  const task = anAssignment({ body, replicas: { count: 2, min: 2 } });
  const result = await world.run(task);
  expect(result.outcome).toEqual({ kind: 'success' });
  expect(result.outputs).toEqual({ sum: 30 });
  expect(result.metrics.map(({ name, value }) => [name, value]).sort()).toEqual([
    ['sum', 30],
    ['sum.rank1', 30],
  ]);
  expect(linesOf(task)).toEqual([
    'out [0] the sum is 30',
    'out [1] the sum is 30',
    'sys [1] outputs and summaries are kept of rank 0 alone',
  ]);
});

test('the program of docs/replicas.md does what it says', async () => {
  const task = shell('python3 train.py', { replicas: { count: 3, min: 2 } });
  const result = await world.run(task);
  expect(result.outcome).toEqual({ kind: 'success' });
  // 1 + 2 + 3 of the ranks, once, twice, three times.
  expect(result.outputs).toEqual({ total: 36 });
  expect(linesOf(task)).toEqual([
    'out [0] ::output total=36::',
    ...[0, 1, 2].map((rank) => `out [${rank}] rank ${rank} of 3: 36`),
  ]);
});

test('when one fails the others are ended, and its end is that of all', async () => {
  const task = shell('[ "$RANK" != 1 ] || exit 3; sleep 60', { replicas: { count: 3, min: 3 } });
  const { outcome } = await world.run(task);
  expect(outcome).toEqual({ kind: 'failed', exitCode: 3, message: 'replica 1 of 3: exit code 3' });
  expect(linesOf(task)).toEqual([
    'sys replica 1 of 3: exit code 3',
    'sys replica 1 of 3: exit code 3: ending the others',
  ]);
});

const COUNT_UP = `
state="$SLUICE_CHECKPOINT/step"
step=$(cat "$state" 2>/dev/null || echo 0)
echo "begins at $step as $RANK of $WORLD_SIZE, round $SLUICE_REPLICA_ROUND"
if [ "$SLUICE_REPLICA_ROUND" = 0 ]; then
  if [ "$RANK" = 0 ]; then echo 7 > "$state.new"; mv "$state.new" "$state"; fi
  if [ "$RANK" = 2 ]; then until [ -e "$state" ]; do sleep 0.02; done; kill -9 $$; fi
  sleep 60
fi
`;

test('an elastic task of which one is killed goes on from what was kept, with one fewer', async () => {
  const task = shell(COUNT_UP, { replicas: { count: 3, min: 2 } });
  expect((await world.run(task)).outcome).toEqual({ kind: 'success' });
  const lines = linesOf(task);
  expect(lines.filter((line) => line.includes('round 1'))).toEqual([
    'out [0] begins at 7 as 0 of 2, round 1',
    'out [1] begins at 7 as 1 of 2, round 1',
  ]);
  const goOn = /^sys replica 2 of 3: ended by SIGKILL.*; 2 go on with what is in \$SLUICE_CHECKPOINT$/;
  expect(lines).toContainEqual(expect.stringMatching(goOn));
});

test('those that break off because one is gone are not gone themselves', async () => {
  const gone = '"$SLUICE_CHECKPOINT/gone"';
  const script = `
[ "$SLUICE_REPLICA_ROUND" = 0 ] || { echo "$RANK of $WORLD_SIZE"; exit 0; }
[ "$RANK" != 1 ] || { touch ${gone}; exit 9; }
until [ -e ${gone} ]; do sleep 0.01; done
exit 1`;
  const task = shell(script, { replicas: { count: 3, min: 2 } });
  expect((await world.run(task)).outcome).toEqual({ kind: 'success' });
  expect(linesOf(task).filter((line) => line.startsWith('out'))).toEqual(['out [0] 0 of 2', 'out [1] 1 of 2']);
});

test('with fewer than it needs the try is over, and says why', async () => {
  const task = shell('[ "$RANK" != 0 ] || exit 5; sleep 60', { replicas: { count: 3, min: 2 } });
  expect((await world.run(task)).outcome).toEqual({
    kind: 'failed',
    exitCode: 5,
    message: 'replica 0 of 2: exit code 5; of 3 replicas 1 would be left, at least 2 are needed',
  });
});

test('all are ended when the attempt times out or is cancelled', async () => {
  const late = shell('sleep 60', { replicas: { count: 2, min: 1 }, timeoutMs: 200 });
  expect((await world.run(late)).outcome).toEqual({ kind: 'timed_out', message: 'timed out after 0.2 s' });
  const task = shell('echo up; sleep 60', { replicas: { count: 2, min: 1 } });
  const result = world.run(task);
  await world.lineOf(task, /up/);
  world.executor.cancel(task.attemptId, 'ann asked');
  expect((await result).outcome).toEqual({ kind: 'cancelled', message: 'cancelled: ann asked' });
});

test('two that need all there is never hold each other up; what is smaller does not overtake', async () => {
  const flag = path.join(world.folder, 'go');
  const hold = shell('echo held; until [ -e "$FLAG" ]; do sleep 0.02; done', { env: { FLAG: flag } });
  const running = world.run(hold);
  await world.lineOf(hold, /held/);
  const gangs = [1, 2].map(() => shell('echo $RANK', { replicas: { count: 4, min: 4 } }));
  const small = shell('true');
  const results = [...gangs, small].map((task) => world.run(task));
  // One of four is taken: nothing of what needs all of them has begun, nor what came after it.
  expect([...gangs, small].map((task) => world.logOf(task))).toEqual([[], [], []]);
  expect(world.executor.running()).toBe(4);
  await writeFile(flag, '');
  await running;
  expect((await Promise.all(results)).map(({ outcome }) => outcome.kind)).toEqual(['success', 'success', 'success']);
});
