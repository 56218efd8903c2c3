import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { FakeClock } from '../testing/fake-clock.ts';
import { PodFollower } from './pod-follower.ts';

test('however long Kubernetes is away, one listener waits for the end', async () => {
  const clock = new FakeClock(0);
  const away = (): Promise<never> => Promise.reject(new Error('away'));
  let tries = 0;
  const follower = new PodFollower({
    cluster: { listPods: () => ((tries += 1), away()), watchPods: away },
    clock,
    onChange: () => undefined,
    problem: () => undefined,
  });
  follower.start();
  await turn();
  await clock.moveTo(600_000, () => turn());
  expect(tries).toBeGreaterThan(20);
  expect(getEventListeners(follower['stopping'].signal, 'abort')).toHaveLength(1);
  await follower.stop();
});
