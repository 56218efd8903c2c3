import type { Caller, GrantedRight } from '#core';
import { Promotions, stepPromotions, type PromotionParts } from '#engine';
import { createPromotionStore } from '#store';
import type { World } from './world.ts';

export interface Promoting {
  readonly parts: PromotionParts;
  readonly promotions: Promotions;
  /** Takes every promotion as far as it can go now. */
  step(): Promise<void>;
  /** Asks for a promotion of the world's release to dev; its id. */
  promote(by?: string): Promise<string>;
}

/** Promotions on a world whose releases are commits of Ada's; `groups` of people whom somebody vouches for. */
export async function promoting(
  world: World,
  groups: Readonly<Record<string, readonly string[]>> = {},
): Promise<Promoting> {
  await world.db.query(`update release set dirty = false, author = 'Ada <ada@acme.example>'`);
  const parts: PromotionParts = {
    ...world.parts,
    promotions: createPromotionStore(world.db),
    isFollowed: () => Promise.resolve(false),
    releaseProblems: () => Promise.resolve([]),
    readSecret: () => Promise.resolve(''),
    statusOf: () => Promise.resolve(200),
    elsewhere: { request: nothing, look: nothing, cancel: nothing },
  };
  const promotions = new Promotions({
    ...parts,
    groupsOf: (name) => Promise.resolve(groups[name] ?? []),
    jenkins: null,
    onChange: () => undefined,
  });
  const { release = '' } = (await world.store.currentRelease('dev')) ?? {};
  return {
    parts,
    promotions,
    step: async () => {
      await stepPromotions(parts);
      await world.tick();
    },
    promote: (by = 'jenkins') =>
      promotions.request(
        {
          ...{ environment: 'dev', release, kind: 'promote', reason: null, buildUrl: null, inFlight: 'finish' },
          ...{ planHash: null, overrides: [], approver: null, verified: [], input: null },
        },
        someone(by),
      ),
  };
}

const nothing = (): Promise<never> => Promise.reject(new Error('no other installation'));

export function someone(name: string, rights: readonly GrantedRight[] = []): Caller {
  return { name, groups: [], rights };
}
