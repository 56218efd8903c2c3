import type { AlertMessage } from '#core';
import type { KnownBlock } from '@slack/web-api';
import { slackInline } from './slack-text.ts';

/** What somebody pressed in Slack. */
export interface SlackDecision {
  readonly decision: 'approve' | 'reject';
  readonly promotion: string;
  /** Of the plan that the message showed. */
  readonly planHash: string;
  readonly user: {
    /** `U024BE7LH`; stays, whatever the person is called. */
    readonly id: string;
    /** What the person is called at the moment; anybody may take any name. */
    readonly name: string;
  };
  /** Where the answer is wanted; null when the message stands in none. */
  readonly channel: string | null;
}

type Button = Extract<Extract<KnownBlock, { type: 'actions' }>['elements'][number], { type: 'button' }>;

const CHOICES = [
  { decision: 'approve', text: 'Approve', style: 'primary' },
  { decision: 'reject', text: 'Reject', style: 'danger' },
] as const;

/** Approve and Reject, each to be confirmed; none when there is nothing to decide. */
export function slackDecisionButtons({ decision: asked, environment }: AlertMessage): Button[] {
  if (asked === undefined) return [];
  return CHOICES.map(({ decision, text, style }) => ({
    type: 'button',
    action_id: `sluice_${decision}`,
    style,
    text: plain(text),
    value: `${asked.promotion}:${asked.planHash}`,
    confirm: {
      title: plain(`${text} promotion ${slackInline(asked.promotion, 20)}`),
      text: plain(`${text} this promotion to ${slackInline(environment, 60)}?`),
      confirm: plain(text),
      deny: plain('Not now'),
    },
  }));
}

/**
 * The decision in the body of an interaction, whose signature has been checked. Null for everything else that Slack sends
 * there, such as that somebody followed a link.
 */
export function readSlackDecision(body: string): SlackDecision | null {
  const payload = parsed(new URLSearchParams(body).get('payload'));
  if (payload['type'] !== 'block_actions') return null;
  const { id, username, name } = fieldsOf(payload['user']);
  const { action_id: action, value } = fieldsOf((payload['actions'] as readonly unknown[] | undefined)?.[0]);
  const decision = CHOICES.find((choice) => `sluice_${choice.decision}` === action)?.decision;
  const [, promotion, planHash] =
    /^([1-9]\d{0,17}):([0-9a-f]{1,128})$/.exec(typeof value === 'string' ? value : '') ?? [];
  if (decision === undefined || promotion === undefined || planHash === undefined) return null;
  if (typeof id !== 'string' || !/^[A-Z0-9]{2,40}$/.test(id)) return null;
  const channel = fieldsOf(payload['channel'])['id'];
  return {
    ...{ decision, promotion, planHash },
    user: { id, name: [username, name].find((one) => typeof one === 'string') ?? id },
    channel: typeof channel === 'string' && /^[A-Z0-9]{2,40}$/.test(channel) ? channel : null,
  };
}

function parsed(text: string | null): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(JSON.parse(text ?? 'null'));
  } catch {
    return {};
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function plain(text: string): { type: 'plain_text'; text: string } {
  return { type: 'plain_text', text };
}
