import { describe, expect, test } from '@jest/globals';
import { anAlert } from '../testing/an-alert.ts';
import { refusedBlocks } from '../testing/slack-limits.ts';
import { buttonsOf, slackPress } from '../testing/slack-press.ts';
import { formatSlackMessage } from './format-slack.ts';
import { readSlackDecision } from './slack-decision.ts';

const PLAN = 'ab'.repeat(32);
const asking = anAlert({
  event: 'promotion.waiting',
  runId: '42',
  logTail: [],
  decision: { promotion: '42', planHash: PLAN },
});
const ANNA = { id: 'U024BE7LH', name: 'anna.smith' };

type Payload = Readonly<Record<string, unknown>> & { readonly actions: readonly object[] };

/** What Slack would send after a press on the button of this message. */
function pressed(text: string, change: (payload: Payload) => unknown = (payload) => payload): string {
  const message = {
    ...formatSlackMessage(asking, []),
    channel: 'C1',
    ts: '1.2',
    threadTs: null,
    metadata: null,
    edits: 0,
  };
  const shown = { ...message, blocks: message.blocks as never, attachments: message.attachments as never };
  const { body } = slackPress(shown, text, ANNA, { secret: 'x', at: new Date() });
  const payload = change(JSON.parse(new URLSearchParams(body).get('payload') ?? ''));
  return new URLSearchParams({ payload: typeof payload === 'string' ? payload : JSON.stringify(payload) }).toString();
}

describe('a promotion that waits', () => {
  test('has a button for each answer, to be confirmed, beside the way to its page', () => {
    const body = formatSlackMessage(asking, []);
    expect(refusedBlocks({ ...body })).toBeNull();
    const buttons = buttonsOf({ blocks: body.blocks as never, attachments: body.attachments as never });
    expect([...buttons.keys()]).toEqual(['Approve', 'Reject', 'Open the promotion', 'Open the log line']);
    expect(buttons.get('Approve')).toMatchObject({ value: `42:${PLAN}`, style: 'primary' });
    expect(buttons.get('Reject')).toMatchObject({ confirm: { text: { text: 'Reject this promotion to prod?' } } });
  });

  test('has none once there is nothing to decide', () => {
    const body = formatSlackMessage(anAlert({ event: 'promotion.verified' }), []);
    expect(JSON.stringify(body)).not.toContain('sluice_approve');
  });
});

describe('what somebody pressed', () => {
  test('is read with who it was and what they saw', () => {
    const common = { promotion: '42', planHash: PLAN, user: ANNA, channel: 'C1' };
    expect(readSlackDecision(pressed('Approve'))).toEqual({ decision: 'approve', ...common });
    expect(readSlackDecision(pressed('Reject'))).toEqual({ decision: 'reject', ...common });
  });

  test.each<[string, string]>([
    ['a link was followed', pressed('Open the promotion')],
    ['it is another kind of interaction', pressed('Approve', (payload) => ({ ...payload, type: 'view_submission' }))],
    ['it is no JSON', pressed('Approve', () => '{')],
    ['it is null', pressed('Approve', () => 'null')],
    ['there is no payload', 'x=1'],
    ['there is nothing', ''],
    ['nobody pressed it', pressed('Approve', (payload) => ({ ...payload, user: null }))],
    ['the person’s id is none', pressed('Approve', (payload) => ({ ...payload, user: { id: '../x' } }))],
    [
      'the value is none of ours',
      pressed('Approve', (payload) => ({ ...payload, actions: [{ action_id: 'sluice_approve', value: '42' }] })),
    ],
    ['the actions are no list', pressed('Approve', (payload) => ({ ...payload, actions: 7 }))],
    [
      'the button is another app’s',
      pressed('Approve', (payload) => ({ ...payload, actions: [{ ...payload.actions[0], action_id: 'approve' }] })),
    ],
  ])('is nothing when %s', (_, body) => {
    expect(readSlackDecision(body)).toBeNull();
  });
});
