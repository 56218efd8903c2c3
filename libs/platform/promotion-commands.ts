import type { Caller } from '#core';
import type { Promotions } from '#engine';
import type { Db } from '#store';
import { readRelease } from './reads/release-reads.ts';

interface Asked {
  readonly environment: string;
  readonly reason: string | null;
  readonly buildUrl: string | null;
  readonly inFlight: 'finish' | 'cancel';
}

/** What the API does to promotions: releases by whatever name people have for them, instants as strings. */
export function createPromotionCommands({ db, promotions }: { readonly db: Db; readonly promotions: Promotions }) {
  const digestOf = async (ref: string) => (await readRelease({ db }, ref, null)).digest;
  return {
    requestPromotion: async (
      request: Asked & {
        readonly release: string;
        readonly kind: 'promote' | 'hotfix';
        readonly input: string | null;
        readonly planHash: string | null;
        readonly overrides: readonly string[];
        readonly verified: readonly { readonly environment: string; readonly at: string }[];
        readonly approver: string | null;
      },
      caller: Caller,
    ): Promise<string> => promotions.request({ ...request, release: await digestOf(request.release) }, caller),
    rollBack: async (request: Asked & { readonly to: string | null }, caller: Caller): Promise<string> =>
      promotions.rollBack({ ...request, to: request.to === null ? null : await digestOf(request.to) }, caller),
    decidePromotion: (
      id: string,
      decision: {
        readonly decision: 'approve' | 'reject';
        readonly comment: string | null;
        readonly approver: string | null;
      },
      caller: Caller,
    ): Promise<void> => promotions.decide(id, decision, caller),
    overrideGate: (id: string, gate: string, reason: string, caller: Caller): Promise<void> =>
      promotions.override(id, gate, reason, caller),
    cancelPromotion: (id: string, caller: Caller): Promise<void> => promotions.cancel(id, caller),
    setHold: async (environment: string, release: string, reason: string, caller: Caller): Promise<void> =>
      promotions.setHold(environment, await digestOf(release), reason, caller),
    liftHold: async (environment: string, release: string, caller: Caller): Promise<void> =>
      promotions.liftHold(environment, await digestOf(release), caller),
    addFreeze: (
      freeze: {
        readonly environment: string;
        readonly startsAt: string | null;
        readonly endsAt: string;
        readonly reason: string;
      },
      caller: Caller,
    ): Promise<string> =>
      promotions.addFreeze(
        {
          ...freeze,
          startsAt: freeze.startsAt === null ? null : new Date(freeze.startsAt),
          endsAt: new Date(freeze.endsAt),
        },
        caller,
      ),
    liftFreeze: (environment: string, id: string, caller: Caller): Promise<void> =>
      promotions.liftFreeze(environment, id, caller),
  };
}
