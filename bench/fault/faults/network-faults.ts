import type { Fault } from '../faults.ts';

const HALF_OPEN_MS = 5000;
const WEATHER_MS = 8000;

/** Faults of the network. */
export const networkFaults = {
  F9: {
    does: 'between two processes nothing passes for 5 s, or connections are reset, or all comes 500 ms late, or 1 % is sent again',
    promises: 'nobody is taken for dead within 5 s; nothing is lost or doubled',
    ...{ perRound: 12, days: 15, mixes: true, keepsAttempts: true },
    layout: () => ({ schedulers: 2, network: 'proxies' }),
    strike: async (scene, index) => {
      const { pairs } = scene.network;
      const { proxy } = scene.pick(pairs.filter((pair) => pair.proxy.isUsed));
      // Each in turn.
      switch (index % 4) {
        case 0:
          proxy.setWeather('still');
          await scene.wait(HALF_OPEN_MS);
          break;
        case 1:
          for (const pair of pairs) pair.proxy.reset();
          break;
        case 2:
          proxy.setWeather('slow');
          await scene.wait(WEATHER_MS);
          break;
        default:
          for (const pair of pairs) pair.proxy.setWeather('lossy');
          await scene.wait(WEATHER_MS);
      }
      scene.network.clear();
      return {};
    },
  },
  namespaces: {
    does: 'two schedulers and four workers in networks of their own; the cable of one is pulled beyond its lease and plugged in again',
    promises: 'what it had is taken over, what it still says is refused, and it goes on when it is back',
    ...{ perRound: 6, days: 25 },
    layout: () => ({ schedulers: 2, workers: 4, network: 'namespaces' }),
    strike: async (scene, index) => {
      // Number 1 and 2 of the schedulers, then 1 to 4 of the workers.
      const place = index % 6;
      const [role, number] = place < 2 ? ['scheduler', place + 1] : ['worker', place - 1];
      const cut = role === 'scheduler' ? scene.cluster.schedulers[place]! : scene.workers[place - 2]!;
      const networks = scene.network.namespaces!;
      const held = role === 'scheduler' ? await scene.ownedBy(cut) : await scene.heldBy(cut);
      await networks.setCable(`${role}-${number}`, 'down');
      const since = Date.now();
      await (role === 'scheduler' ? scene.takenOver(held, cut) : scene.released(held));
      const took = Date.now() - since;
      await scene.wait(Math.max(0, scene.awayMs - took));
      await networks.setCable(`${role}-${number}`, 'up');
      return { foundMs: held.length === 0 ? null : took, resumedMs: await scene.resumed() };
    },
    limits: { foundMs: 15_000, resumedMs: 30_000 },
  },
} satisfies Record<string, Fault>;
