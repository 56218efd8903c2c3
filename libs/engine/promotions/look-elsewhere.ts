import { type ErrorCode, type Gate, type PromotionCase, SluiceError } from '#core';
import type { Look } from './look-at-gates.ts';
import type { PromotionParts } from './promotion-parts.ts';

/** What asking again cannot change. */
const LASTING: readonly ErrorCode[] = [
  ...(['bad_request', 'conflict', 'forbidden', 'invalid_config', 'not_found', 'unauthorized'] as const),
];

/**
 * Has the release promoted by the installation that has the environment, and tells what becomes of it there. A kill before
 * its id is kept asks again, and the same request is the same promotion.
 */
export async function lookElsewhere(
  parts: PromotionParts,
  { promotion, gates }: PromotionCase,
  gate: Extract<Gate, { kind: 'installation' }>,
): Promise<Look> {
  const { environment, release, kind, plan, reason, buildUrl } = promotion;
  const stopped = await whatStops(parts, promotion);
  const before = gates.find((one) => one.kind === 'installation')?.evidence.promotion;
  // What is open there already goes on, whatever is said here.
  if (typeof before !== 'string' && stopped !== null) return stopped;
  try {
    const verified = kind === 'promote' ? await parts.promotions.verifiedIn(release, plan.rules.from) : {};
    const asked = { environment, release, kind, reason, buildUrl, inFlight: plan.inFlight };
    const id =
      typeof before === 'string'
        ? before
        : await parts.elsewhere.request(gate, {
            ...asked,
            verified: Object.entries(verified).map(([name, at]) => ({
              environment: name,
              at: new Date(at).toISOString(),
            })),
          });
    const there = await parts.elsewhere.look(gate, id);
    const evidence = { url: gate.url, promotion: id, state: there.state, gates: there.gates };
    const detail = `Promotion ${id} there is ${there.state}${there.detail === null ? '.' : `: ${there.detail}`}`;
    if (!there.finished) return { state: 'pending', detail, evidence };
    return { state: there.state === 'verified' ? 'passed' : 'failed', detail, evidence };
  } catch (error) {
    if (!(error instanceof SluiceError) || !LASTING.includes(error.code)) throw error;
    return { state: 'failed', detail: `It cannot be asked for at ${gate.url}: ${error.message}` };
  }
}

/** Holds and freezes of this installation: once it is asked for there, nothing here stops it. */
async function whatStops(
  { promotions, clock }: PromotionParts,
  { environment, release, kind }: PromotionCase['promotion'],
): Promise<Look | null> {
  const [holds, freezes] = await Promise.all([promotions.holds(environment), promotions.freezes(environment)]);
  const hold = holds.find((one) => one.release === release);
  if (hold !== undefined && kind !== 'hotfix')
    return { state: 'failed', detail: `The release is on hold here: ${hold.reason}` };
  const freeze = freezes.find(({ startsAt }) => Date.parse(startsAt) <= clock.now().getTime());
  if (freeze === undefined || kind === 'rollback') return null;
  return { state: 'pending', detail: `Waits for the end of a freeze: ${freeze.reason}` };
}
