import { gateName, gatesOf, inPromotionOrder, isAmong, previewParts, SluiceError, type PromotionCase } from '#core';
import type { PromotionStand } from '#contracts';
import { isWithinWindow } from '#dag';
import type { AppliedEnvironment } from '#engine';
import { apiQueries } from '#store';
import { nameOf, shortReleases, toDetail, toFreeze, type RecordContext } from './promotion-records.ts';

/** Every environment that may be viewed, previews apart, in the order in which releases go through them. */
export async function readBoard(context: RecordContext, among: readonly string[] | null): Promise<PromotionStand[]> {
  const viewed = context.environments
    .all()
    .filter(({ config }) => previewParts(config.name) === null && isAmong(among, config.name));
  const ordered = inPromotionOrder(
    viewed.map((applied) => ({ name: applied.config.name, from: applied.config.promotion.from, applied })),
  );
  const cases = await openCases(context);
  return Promise.all(ordered.map(({ applied }) => standOf(context, applied, cases)));
}

/** Throws `not_found` for an unknown environment. */
export async function readStand(context: RecordContext, environment: string): Promise<PromotionStand> {
  const applied = context.environments.get(environment);
  if (applied === null) throw new SluiceError('not_found', `There is no environment "${environment}".`);
  return standOf(context, applied, await openCases(context));
}

async function openCases({ store }: RecordContext): Promise<readonly PromotionCase[]> {
  const open = await store.openPromotions();
  const cases = await Promise.all(open.map(({ id }) => store.promotionCase(id)));
  return cases.filter((one) => one !== null);
}

async function standOf(
  context: RecordContext,
  { config }: AppliedEnvironment,
  cases: readonly PromotionCase[],
): Promise<PromotionStand> {
  const { store, db, isFollowed, now } = context;
  const { name: environment, promotion: rules } = config;
  const [pointer, verified, holds, freezes] = await Promise.all([
    apiQueries.readPointer(db, environment),
    store.lastVerified(environment, null),
    store.holds(environment),
    store.freezes(environment),
  ]);
  const earlier = await store.lastVerified(environment, pointer?.release ?? null);
  const known = await shortReleases(db, [
    ...[pointer?.release, verified, earlier],
    ...holds.map(({ release }) => release),
  ]);
  const current = pointer === null ? undefined : known.get(pointer.release);
  const named = (digest: string | null) => (digest === null ? null : (known.get(digest) ?? null));
  return {
    environment,
    from: [...rules.from],
    current: pointer === null || current === undefined ? null : { ...current, since: pointer.at, actor: pointer.actor },
    verified: named(verified),
    earlier: named(earlier),
    followed: await isFollowed(environment),
    gates: gatesOf('promote', rules).map((gate) => ({ kind: gate.kind, name: gateName(gate) })),
    approvals: rules.approvals.count,
    window: rules.window === null ? null : { ...rules.window, open: isWithinWindow(rules.window, now()) },
    open: await Promise.all(
      cases.filter(({ promotion }) => promotion.environment === environment).map((one) => toDetail(context, one)),
    ),
    holds: holds.map(({ release, reason, actor, at }) => ({
      ...{ environment, release: nameOf(known, release), reason, actor, at },
    })),
    freezes: freezes.map(toFreeze),
  };
}
