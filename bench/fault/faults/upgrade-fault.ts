import { SluiceError } from '#core';
import type { Fault } from '../faults.ts';
import type { Scene } from '../scene.ts';
import type { ClusterProcess } from '../worker-cluster.ts';

const ASK_MS = 100;
const SIDE_BY_SIDE_MS = 1500;
const KILLED_MIGRATIONS = 3;

/** From the commit before the last migration to this one. */
export const upgradeFault: Fault = {
  does: 'all processes are replaced, one after the other, by the next version, whose migration is killed three times before; schedulers first and the API first in turn',
  promises: 'nothing is lost, nobody sees an error, running tasks are left alone',
  ...{ perRound: 1, days: 60, keepsAttempts: true },
  layout: () => ({ schedulers: 2, isPrevious: true }),
  strike: async (scene, index) => {
    const { cluster } = scene;
    const asking = askAgainAndAgain(scene);
    scene.upgrade();
    for (let kills = 0; kills < KILLED_MIGRATIONS; kills++) {
      const started = await cluster.spawnScheduler();
      await scene.wait(scene.between(300, 1200));
      await scene.kill(started);
    }
    const parts = {
      schedulers: () => replaceAll(scene, cluster.schedulers, () => cluster.scheduler()),
      workers: () => replaceAll(scene, scene.workers, () => cluster.worker()),
      api: async () => {
        await ended(scene, cluster.api);
        await cluster.startApi();
      },
    };
    const order = ['schedulers', 'workers', 'api'] as const;
    for (const part of index % 2 === 0 ? order : order.toReversed()) {
      await parts[part]();
      await scene.wait(SIDE_BY_SIDE_MS);
    }
    return { resumedMs: await scene.resumed(), answers: await asking.stop() };
  },
};

async function replaceAll(scene: Scene, list: ClusterProcess[], next: () => Promise<ClusterProcess>): Promise<void> {
  for (const one of [...list]) {
    await ended(scene, one);
    await scene.replace(list, one, next);
    await scene.wait(SIDE_BY_SIDE_MS);
  }
}

async function ended(scene: Scene, one: ClusterProcess): Promise<void> {
  one.signal('SIGTERM');
  const code = await one.ended;
  if (code !== 0) scene.problems.push(`a process of the version before ended with ${code}: ${one.text.slice(-300)}`);
}

/** Somebody who looks at the runs all the while: everything but an answer, or nobody who answers, is a problem. */
function askAgainAndAgain(scene: Scene): { stop(): Promise<number> } {
  let [answers, isOver] = [0, false];
  const asking = (async () => {
    while (!isOver) {
      try {
        await scene.cluster.server.client.runs({ env: 'dev', limit: 50 });
        answers += 1;
      } catch (error) {
        // The API itself is replaced, too.
        if (!(error instanceof SluiceError && error.code === 'unavailable'))
          scene.problems.push(`an error was shown: ${(error as Error).message}`);
      }
      await scene.wait(ASK_MS);
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await asking;
      return answers;
    },
  };
}
