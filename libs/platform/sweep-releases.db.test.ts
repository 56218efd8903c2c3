import { afterEach, expect, test } from '@jest/globals';
import { World } from '../testing/world.ts';
import { sweepReleases } from './sweep-releases.ts';

let world: World;
afterEach(() => world.close());

test('releases that a run was pinned to or an environment points at are kept, hour by hour', async () => {
  world = await World.open();
  const pipeline = `name: p\ntasks: { a: { run: "true" } }`;
  await world.release(pipeline); // r1: a run was pinned to it
  await world.run('p');
  await world.release(pipeline); // r2: nobody
  await world.release(pipeline); // r3: current
  const kept: string[][] = [];
  let heard = (): void => undefined;
  const releases = {
    sweep: ({ keep }: { keep: ReadonlySet<string> }) => {
      kept.push([...keep].sort());
      heard();
      return Promise.resolve([]);
    },
  };
  const observer = { event: () => undefined, problem: () => undefined };
  const first = new Promise<void>((resolve) => (heard = resolve));
  const stop = sweepReleases({ db: world.db, releases, clock: world.clock, observer });
  await first;
  await stop();
  expect(kept).toEqual([['r1', 'r3']]);
});
