import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { LogStore, Right } from '#core';
import { deliverAlerts } from '#engine';
import { loadConfig, NamedTokens, slackDecisionsOf } from '#platform';
import { startSlackServer, type SlackServer } from '#testing';
import { AlertSenders } from '../../libs/platform/alert-senders.ts';
import { promoting, someone, type Promoting } from '../../libs/testing/promoting.ts';
import { buttonsOf, signedBySlack, slackPress } from '../../libs/testing/slack-press.ts';
import type { SlackMessage } from '../../libs/testing/slack-workspace.ts';
import { World } from '../../libs/testing/world.ts';
import { anApi, type ApiUnderTest } from './api-under-test.ts';

// From the alert to the pressed button and back: Slack is a server of its own, everything between it and Postgres is real.
const SECRET = 'a-signing-secret-of-slack';
const ENVIRONMENT = `
approvals: { count: 1, groups: [leads] }
alerts:
  slack: { channel: "#ml-alerts", approvers: { U0ANNA: anna, U0BEN: ben, U0ADA: ada, U0CARL: carl, U0GONE: gone } }`;
const PEOPLE: readonly (readonly [name: string, right: Right])[] = [
  ['anna', 'approve'],
  ['ada', 'approve'],
  ['ben', 'approve'],
  ['carl', 'view'],
];
const ANNA = { id: 'U0ANNA', name: 'anna.smith' };

let slack: SlackServer;
let world: World;
let running: Promoting;
let api: ApiUnderTest;
let senders: AlertSenders;
beforeAll(async () => {
  slack = await startSlackServer();
  world = await World.open({ environment: ENVIRONMENT });
  await world.release('name: p\ntasks: { a: { run: "true" } }');
  running = await promoting(world, { anna: ['leads'], ada: ['leads'] });
  const tokens = new NamedTokens(world.db, world.clock);
  for (const [name, right] of PEOPLE) {
    const rights = [{ right, environment: 'dev' }];
    await tokens.create({ name, groups: [], rights, expiresInMs: null }, someone('admin', rights));
  }
  const { environments, promotions: promotionStore } = running.parts;
  const config = loadConfig({
    ...{ SLUICE_SLACK_SIGNING_SECRET: SECRET, SLACK_BOT_TOKEN: 'xoxb-test', SLACK_API_URL: slack.apiUrl },
  });
  senders = new AlertSenders(config, environments);
  const { db } = world;
  const slackDecisions = slackDecisionsOf(
    { config, db, environments, promotions: running.promotions, promotionStore },
    running.parts,
  );
  api = await anApi({}, { slack: slackDecisions });
});
afterAll(async () => {
  await api.close();
  await slack.close();
  await world.close();
});

/** Promotions and the outbox go on as far as they can. */
async function goOn(): Promise<void> {
  await running.step();
  const senderFor = (name: string, kind: string) => senders.for(name, kind);
  const logsFor = () => ({}) as LogStore;
  while ((await deliverAlerts({ ...running.parts, senderFor, logsFor })) > 0);
}

interface Asked {
  readonly id: string;
  /** The message about it as it looks now. */
  readonly message: () => SlackMessage;
}

/** A promotion that waits for approval, and no other one. */
async function aWaitingOne(by = 'jenkins'): Promise<Asked> {
  for (const { id } of await running.parts.promotions.openPromotions())
    await running.promotions.cancel(id, someone('ben'));
  const before = slack.messages().length;
  const id = await running.promote(by);
  await goOn();
  const posted = slack.messages().findLast(({ threadTs }) => threadTs === null);
  expect(slack.messages().length).toBeGreaterThan(before);
  return { id, message: () => slack.messages().find(({ ts }) => ts === posted?.ts)! };
}

async function press(message: SlackMessage, text: string, user: typeof ANNA, secret = SECRET) {
  const { body, headers } = slackPress(message, text, user, { secret, at: world.clock.now() });
  return (await api.ask('/api/v1/slack/interactions', { method: 'POST', headers, body })).status;
}

/** What this person was told at last, when they have been told so many things. */
async function whisperedTo(user: string, count: number): Promise<string> {
  await slack.waitForCalls((calls) => calls.filter(({ args }) => args['user'] === user).length >= count);
  return slack.whispers.findLast((whisper) => whisper.user === user)?.text ?? '';
}

const stateOf = async (id: string) => (await running.parts.promotions.promotionCase(id))?.promotion.state;
const shown = (message: SlackMessage) => [...buttonsOf(message).keys()];

describe('whoever may not decide is told why, and nothing is decided', () => {
  test.each<[string, { id: string; name: string }, string]>([
    [
      'is unknown',
      { id: 'U0ZOE', name: 'zoe' },
      'Sluice does not know who zoe (U0ZOE) is. Whoever keeps environments/dev.yaml',
    ],
    ['has a token without the right', { id: 'U0CARL', name: 'carl' }, 'carl has no right to approve in dev.'],
    ['has no token any more', { id: 'U0GONE', name: 'x' }, 'It takes a named token "gone" with the right approve:dev.'],
    [
      'is in none of the groups',
      { id: 'U0BEN', name: 'ben' },
      'ben is in none of the groups whose approval counts: leads.',
    ],
    ['wrote the commit', { id: 'U0ADA', name: 'lovelace' }, 'ada asked for this promotion or wrote the commit'],
    [
      'wrote the commit under the name of Slack',
      { id: 'U0ANNA', name: 'Ada' },
      'Ada asked for this promotion or wrote the commit',
    ],
  ])('when they are somebody who %s', async (_, user, told) => {
    const { id, message } = await aWaitingOne();
    const before = slack.calls.filter(({ args }) => args['user'] === user.id).length;
    expect(await press(message(), 'Approve', user)).toBe(200);
    expect(await whisperedTo(user.id, before + 1)).toContain(told);
    await goOn();
    expect(await stateOf(id)).toBe('approval');
  });

  test('nor may anybody who only pretends to be Slack', async () => {
    const { id, message } = await aWaitingOne();
    expect(await press(message(), 'Approve', ANNA, 'another-secret-0123456')).toBe(401);
    const { body, headers } = slackPress(message(), 'Approve', ANNA, { secret: SECRET, at: world.clock.now() });
    const send = async (given: string, more: Record<string, string>) =>
      (await api.ask('/api/v1/slack/interactions', { method: 'POST', body: given, headers: { ...headers, ...more } }))
        .status;
    expect(await send(body.replace('sluice_approve', 'sluice_reject'), {})).toBe(401);
    expect(await send('{}', { 'content-type': 'application/json' })).toBe(401);
    expect(await send(body, { origin: 'https://evil.example' })).toBe(401);
    const late = signedBySlack(body, { secret: SECRET, at: new Date(world.clock.now().getTime() - 301_000) });
    expect(await send(body, late)).toBe(401);
    await goOn();
    expect(await stateOf(id)).toBe('approval');
    // Forms of other sites are taken here only.
    const form = { ...headers, authorization: 'Bearer x' };
    expect((await api.ask('/api/v1/login', { method: 'POST', body: 'token=x', headers: form })).status).toBe(415);
  });
});

test('a rejection ends it; the message says who, loses its buttons, and answers kindly when it is pressed once more', async () => {
  const { id, message } = await aWaitingOne();
  const stale = message();
  expect(await press(stale, 'Reject', ANNA)).toBe(200);
  await goOn();
  expect(await stateOf(id)).toBe('rejected');
  expect(message().text).toContain('was rejected');
  expect(JSON.stringify(message())).toContain('Rejected by anna.');
  expect(shown(message())).toEqual(['Open the promotion']);
  const before = slack.calls.filter(({ args }) => args['user'] === ANNA.id).length;
  expect(await press(stale, 'Approve', ANNA)).toBe(200);
  expect(await whisperedTo(ANNA.id, before + 1)).toContain(`Promotion ${id} has ended: rejected.`);
});

test('one message follows a promotion from the wait for approval to its end; a second press changes nothing', async () => {
  const { id, message } = await aWaitingOne();
  const waiting = message();
  expect(shown(waiting)).toEqual(['Approve', 'Reject', 'Open the promotion']);
  expect(JSON.stringify(waiting)).toContain('validate: passed');
  // Slack tells of links too.
  expect(await press(waiting, 'Open the promotion', ANNA)).toBe(200);
  const posted = slack.messages().filter(({ threadTs }) => threadTs === null).length;
  expect([await press(waiting, 'Approve', ANNA), await press(waiting, 'Approve', ANNA)]).toEqual([200, 200]);
  await goOn();
  expect(await stateOf(id)).toBe('verified');
  expect(message().text).toContain(`Promotion ${id} of r1 to dev is verified`);
  expect(message().edits).toBe(1);
  expect(slack.messages().filter(({ threadTs }) => threadTs === null)).toHaveLength(posted);
  const { approvals } = (await running.parts.promotions.promotionCase(id))!;
  expect(approvals).toEqual([
    expect.objectContaining({ approver: 'anna', assertedBy: 'Slack (U0ANNA)', groups: ['leads'], decision: 'approve' }),
  ]);
  const trail = await world.db.query<{ actor: string; detail: unknown }[]>(
    `select actor, detail from audit where action = 'promotion.approve'`,
  );
  expect(trail).toEqual([{ actor: 'anna', detail: expect.objectContaining({ assertedBy: 'Slack (U0ANNA)' }) }]);
  expect(world.problems).toEqual([]);
});
