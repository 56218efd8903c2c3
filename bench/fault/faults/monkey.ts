import type { Fault } from '../faults.ts';
import { networkFaults } from './network-faults.ts';
import { postgresFaults } from './postgres-faults.ts';
import { processFaults } from './process-faults.ts';
import { workFaults } from './work-faults.ts';

/** At most one of each happens at a time: two would undo each other, as a start of what the other has just stopped. */
const GROUPS: readonly Readonly<Record<string, Fault>>[] = [
  processFaults,
  postgresFaults,
  { ...networkFaults, ...workFaults },
];

/** Faults at random, two at a time. */
export const monkey: Fault = {
  does: 'faults of processes, Postgres, the network, tasks and people at random, two at a time',
  promises: 'every rule of the checker holds',
  ...{ perRound: 12, days: 40 },
  layout: () => ({
    ...{ schedulers: 2, workers: 3, network: 'proxies' },
    files: Object.assign(
      {},
      ...Object.values(workFaults as Readonly<Record<string, Fault>>).map((fault) => fault.layout?.(0).files ?? {}),
    ) as Record<string, string>,
  }),
  strike: async (scene) => {
    const first = scene.between(0, GROUPS.length);
    const second = (first + scene.between(1, GROUPS.length)) % GROUPS.length;
    const picked = [first, second].map((group) => {
      const fit = Object.entries(GROUPS[group]!).filter(([, fault]) => fault.mixes === true);
      return scene.pick(fit);
    });
    scene.say(`    ${picked.map(([name]) => name).join(' and ')}`);
    const index = scene.between(0, 1000);
    // What each measures is its own promise alone.
    await Promise.all(picked.map(([, fault]) => fault.strike(scene, index)));
    return {};
  },
  check: (scene) => workFaults.F17.check(scene),
};
