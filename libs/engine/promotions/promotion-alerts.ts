import {
  type AlertEvent,
  type AlertInsert,
  approvalsOf,
  type PromotionCase,
  type PromotionNews,
  promotionNews,
  type StoredAlert,
} from '#core';
import type { AppliedEnvironment } from '../ports.ts';
import type { AlertDefaults } from '../route-alerts.ts';
import type { PromotionParts } from './promotion-parts.ts';

/**
 * Tells the people of each environment how its promotions stand. Whoever moved one there, and whatever died meanwhile:
 * each change is told once. May be called at any time, by several at once.
 */
export async function tellOfPromotions(parts: PromotionParts): Promise<void> {
  for (const untold of await parts.promotions.untoldPromotions()) {
    try {
      await parts.promotions.tellOfPromotion(untold, await alertsOf(parts, untold.id));
    } catch (error) {
      parts.observer.problem('telling of a promotion', error, { promotion: untold.id });
    }
  }
}

async function alertsOf(parts: PromotionParts, id: string): Promise<readonly AlertInsert[]> {
  const known = await parts.promotions.promotionCase(id);
  const news = known === null ? null : promotionNews(known);
  const environment = known === null ? null : parts.environments.get(known.promotion.environment);
  if (known === null || news === null || environment === null) return [];
  const targets = targetsOf(news, environment, await parts.promotions.alertsOfPromotion(id));
  if (targets.length === 0) return [];
  const release = await parts.promotions.release(known.promotion.release);
  const alias = release?.alias ?? known.promotion.release.slice(0, 12);
  return insertsFor(targets, aboutPromotion(known, news, alias, parts.alertDefaults), environment, parts.alertDefaults);
}

/**
 * Those who want to hear of such an event, and, where a message can be changed, those who were told of this promotion
 * before: a message that says for ever that it waits would be wrong.
 */
function targetsOf(
  { event, forEverybody }: PromotionNews,
  { config: { alerts } }: AppliedEnvironment,
  told: readonly { readonly event: AlertEvent; readonly target: string }[],
): readonly string[] {
  if (alerts.mute.includes(event)) return [];
  const isRepeated = (target: string) => told.some((one) => one.target === target && one.event === event);
  const routes = [
    ...(alerts.slack ? [`slack:${alerts.slack.channel}`] : []),
    ...(alerts.email?.to ?? []).map((address) => `email:${address}`),
  ];
  const asked = forEverybody && alerts.on.includes(event) ? routes.filter((target) => !isRepeated(target)) : [];
  const changed = told.map(({ target }) => target).filter((target) => target.startsWith('slack:'));
  return [...new Set([...asked, ...changed])];
}

/** An alert about a promotion as it stands; `news.title` goes on after its name. */
export function aboutPromotion(
  known: PromotionCase,
  { event, title, asks }: Pick<PromotionNews, 'event' | 'title' | 'asks'>,
  alias: string,
  { publicUrl, decidesInSlack }: AlertDefaults,
): StoredAlert {
  const { promotion, gates } = known;
  const { needed, counted } = approvalsOf(known);
  return {
    event,
    environment: promotion.environment,
    pipeline: 'promotion',
    runId: promotion.id,
    release: promotion.release,
    interval: null,
    owner: '',
    title: `Promotion ${promotion.id} of ${alias} to ${promotion.environment} ${title}`,
    details: [
      { label: 'Why', value: promotion.detail ?? '' },
      { label: 'Gates', value: gates.map(({ name, state }) => `${name}: ${state}`).join(', ') },
      { label: 'Approvals', value: needed === 0 ? '' : `${counted.length} of ${needed}${listed(counted)}` },
      { label: 'Requested by', value: promotion.actor },
      { label: 'Reason', value: promotion.reason ?? '' },
      { label: 'Build', value: promotion.buildUrl ?? '' },
    ],
    runUrl: `${publicUrl}/promotions/${promotion.id}`,
    logUrl: null,
    log: null,
    at: promotion.stateAt,
    ...(asks && decidesInSlack ? { decision: { promotion: promotion.id, planHash: promotion.planHash } } : {}),
  };
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? '' : `: ${names.join(', ')}`;
}

function insertsFor(
  targets: readonly string[],
  message: StoredAlert,
  { config }: AppliedEnvironment,
  { unavailable }: AlertDefaults,
): AlertInsert[] {
  const { event, environment, pipeline, runId } = message;
  return targets.map((target) => {
    const reason = unavailable(target.startsWith('slack:') ? 'slack' : 'email', config);
    return {
      ...{ environment, pipeline, event, target, message },
      // The outbox counts promotions downwards from zero, so that each has a thread of its own beside those of runs.
      runId: `-${runId}`,
      state: reason === null ? 'pending' : 'muted',
      detail: reason,
    };
  });
}
