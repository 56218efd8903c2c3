import type { AlertEvent, AlertInsert, PromotionRecord, StoredAlert } from '#core';
import type { PromotionParts } from './promotion-parts.ts';

const EVENTS: Partial<Record<PromotionRecord['state'], AlertEvent>> = {
  approval: 'promotion.waiting',
  failed: 'promotion.failed',
  rejected: 'promotion.failed',
  expired: 'promotion.failed',
  superseded: 'promotion.failed',
  rolled_back: 'promotion.rolled_back',
};

const TITLES: Partial<Record<AlertEvent, string>> = {
  'promotion.waiting': 'waits for approval',
  'promotion.failed': 'ended without effect',
  'promotion.rolled_back': 'was rolled back',
};

/**
 * What the people of the target environment are told of a promotion in its new state; nothing when it only goes on.
 * `needed`: approvals that it waits for.
 */
export async function promotionAlerts(
  parts: Pick<PromotionParts, 'environments' | 'promotions' | 'alertDefaults'>,
  promotion: PromotionRecord,
  needed: number,
): Promise<readonly AlertInsert[]> {
  const event = EVENTS[promotion.state];
  const environment = parts.environments.get(promotion.environment)?.config;
  if (event === undefined || environment === undefined || !environment.alerts.on.includes(event)) return [];
  if (environment.alerts.mute.includes(event)) return [];
  if (event === 'promotion.waiting' && needed === 0) return [];
  const release = await parts.promotions.release(promotion.release);
  const message: StoredAlert = {
    event,
    environment: promotion.environment,
    pipeline: 'promotion',
    runId: promotion.id,
    release: promotion.release,
    interval: null,
    owner: '',
    title: `Promotion ${promotion.id} of ${release?.alias ?? promotion.release.slice(0, 12)} to ${promotion.environment} ${TITLES[event] ?? event}`,
    details: [
      { label: 'Why', value: promotion.detail ?? '' },
      { label: 'Requested by', value: promotion.actor },
      ...(promotion.buildUrl === null ? [] : [{ label: 'Build', value: promotion.buildUrl }]),
    ],
    runUrl: `${parts.alertDefaults.publicUrl}/promotions/${promotion.id}`,
    logUrl: null,
    log: null,
    at: promotion.requestedAt,
  };
  const targets = [
    ...(environment.alerts.slack ? [`slack:${environment.alerts.slack.channel}`] : []),
    ...(environment.alerts.email?.to ?? []).map((address) => `email:${address}`),
  ];
  return targets.map((target): AlertInsert => {
    const reason = parts.alertDefaults.unavailable(target.startsWith('slack:') ? 'slack' : 'email', environment);
    return {
      environment: promotion.environment,
      pipeline: 'promotion',
      // The outbox counts promotions downwards from zero, so that each has a thread of its own beside those of runs.
      runId: `-${promotion.id}`,
      event,
      target,
      message,
      state: reason === null ? 'pending' : 'muted',
      detail: reason,
    };
  });
}
