import type { Fault } from '../faults.ts';

/** Dead workers are found within so long. */
const DETECTION_MS = 15_000;

/** Faults of schedulers, workers and Redis. */
export const processFaults = {
  F1: {
    does: 'kill -9 of a worker; another is started in its place',
    promises: 'nothing lost, nothing doubled; what it executed is given up within 15 s',
    ...{ perRound: 10, days: 8, mixes: true, limits: { foundMs: DETECTION_MS } },
    strike: async (scene) => {
      const worker = scene.pick(scene.workers);
      const held = await scene.heldBy(worker);
      await scene.kill(worker);
      const since = Date.now();
      await scene.replace(scene.workers, worker, () => scene.cluster.worker());
      await scene.released(held);
      return { foundMs: held.length === 0 ? null : Date.now() - since };
    },
  },
  F2: {
    does: 'kill -9 of a scheduler, of one and of three in turn; another is started in its place',
    promises: 'its runs are taken over within 10 s; running tasks are left alone',
    ...{ perRound: 10, days: 8, mixes: true, keepsAttempts: true, limits: { takenOverMs: 10_000 } },
    layout: (round) => ({ schedulers: round % 2 === 0 ? 3 : 1 }),
    strike: async (scene) => {
      const { schedulers } = scene.cluster;
      // Whoever owns most: the others have nothing to lose.
      const all = await Promise.all(
        schedulers.map(async (scheduler) => ({ scheduler, owned: await scene.ownedBy(scheduler) })),
      );
      const { scheduler, owned } = all.toSorted((a, b) => b.owned.length - a.owned.length)[0]!;
      await scene.kill(scheduler);
      const next = scene.replace(schedulers, scheduler, () => scene.cluster.scheduler());
      const [took] = await Promise.all([scene.takenOver(owned, scheduler), next]);
      return { takenOverMs: owned.length === 0 ? null : took };
    },
  },
  F3: {
    does: 'a worker, and every second time a scheduler, is paused beyond its lease, then goes on',
    promises: 'it is taken for dead within 15 s, and refused when it wakes',
    ...{ perRound: 5, days: 12, mixes: true, limits: { foundMs: DETECTION_MS } },
    layout: () => ({ schedulers: 2 }),
    strike: async (scene, index) => {
      const isWorker = index % 2 === 0;
      const paused = scene.pick(isWorker ? scene.workers : scene.cluster.schedulers);
      const held = isWorker ? await scene.heldBy(paused) : await scene.ownedBy(paused);
      paused.signal('SIGSTOP');
      const since = Date.now();
      await (isWorker ? scene.released(held) : scene.takenOver(held, paused));
      const took = Date.now() - since;
      await scene.wait(Math.max(0, scene.awayMs - took));
      paused.signal('SIGCONT');
      return { foundMs: held.length === 0 ? null : took };
    },
  },
  F8: {
    does: 'Redis is emptied, killed and started with nothing, or away for a while',
    promises: 'nothing is lost or waits for it; running tasks are left alone',
    ...{ perRound: 9, days: 12, mixes: true, keepsAttempts: true },
    strike: async (scene, index) => {
      const { redis } = scene.cluster;
      // Each in turn.
      if (index % 3 === 0) await redis.flush();
      else {
        await redis.kill();
        if (index % 3 === 1) await scene.wait(scene.awayMs);
        await redis.start();
      }
      return {};
    },
  },
} satisfies Record<string, Fault>;
