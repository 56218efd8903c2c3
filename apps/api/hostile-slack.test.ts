import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SluiceError } from '#core';
import { Secret, SlackDecisions } from '#platform';
import { signedBySlack } from '../../libs/testing/slack-press.ts';
import { anApi, type ApiUnderTest } from './api-under-test.ts';

// What anybody may send to the one route that decides promotions without a token.
const SECRET = 'a-signing-secret-of-slack';
const MARK = 'MARKED-0f3a';
const NOW = new Date('2026-01-01T00:00:00Z');
const MOST_BYTES = 1024 * 1024;

let api: ApiUnderTest;
/** What was looked up or said because of a request. */
let acted: string[];
beforeAll(async () => {
  const note = (what: string, answer: unknown) => (): Promise<never> => {
    acted.push(what);
    return Promise.resolve(answer as never);
  };
  const slack = new SlackDecisions({
    secret: new Secret(SECRET),
    promotions: {
      open: () => Promise.reject(new SluiceError('not_found', 'There is no promotion 7.')),
      decide: note('decide', null),
    },
    environments: { get: () => null, all: () => [] },
    rightsOf: note('rightsOf', null),
    whisper: note('whisper', undefined),
    environmentOf: note('environmentOf', null),
    clock: { now: () => NOW },
    observer: { problem: (what) => void acted.push(what) },
  });
  api = await anApi({}, { slack });
});
afterAll(() => api.close());
beforeEach(() => {
  acted = [];
  (api.logged as string[]).splice(0);
});

const form = (payload: unknown): string =>
  new URLSearchParams({ payload: typeof payload === 'string' ? payload : JSON.stringify(payload) }).toString();
const press = (action: unknown, more: object = {}) =>
  form({ type: 'block_actions', user: { id: 'U0ANNA', name: MARK }, actions: [action], ...more });
const APPROVE = { action_id: 'sluice_approve', value: `7:${'a'.repeat(64)}` };

async function send(body: string, headers: Readonly<Record<string, string>> = {}) {
  const signed = signedBySlack(body, { secret: SECRET, at: NOW });
  const given = { method: 'POST', body, headers: { ...signed, ...headers } };
  return api.ask('/api/v1/slack/interactions', given);
}

/** Of what was sent, nothing stands in the log or in the answer. */
function tellsNothing(answer: { readonly text: string }): void {
  expect(answer.text + api.logged.join('')).not.toContain(MARK);
  expect(answer.text.length).toBeLessThan(1000);
  expect(acted).toEqual([]);
}

describe('without proof that it comes from Slack', () => {
  const at = (seconds: number) =>
    signedBySlack(press(APPROVE), { secret: SECRET, at: new Date(+NOW + seconds * 1000) });
  test.each<[string, Readonly<Record<string, string>>]>([
    ['a signature with another secret', signedBySlack(press(APPROVE), { secret: 'another-secret', at: NOW })],
    ['the signature of another body', signedBySlack(form({}), { secret: SECRET, at: NOW })],
    ['no signature', { 'x-slack-signature': '' }],
    ['a signature that is no hex', { 'x-slack-signature': `v0=${'z'.repeat(64)}` }],
    ['a longer signature', { 'x-slack-signature': `v0=${'a'.repeat(10_000)}` }],
    ['no instant', { 'x-slack-request-timestamp': '' }],
    ['an instant that is no number', { 'x-slack-request-timestamp': 'NaN' }],
    ['an instant beyond all time', { 'x-slack-request-timestamp': '9'.repeat(12) }],
    ['an instant of six minutes ago', at(-360)],
    ['an instant to come', at(360)],
  ])('%s is refused', async (_, headers) => {
    const answer = await send(press(APPROVE), headers);
    expect([answer.status, answer.json.error.code]).toEqual([401, 'unauthorized']);
    tellsNothing(answer);
  });
});

describe('even when it is signed', () => {
  test('only what Slack really sends is looked at', async () => {
    expect((await send(press(APPROVE))).status).toBe(200);
    expect(acted).toEqual(['environmentOf']);
  });

  test('a body that is too large is refused before it is read', async () => {
    const answer = await send(form(MARK.repeat(MOST_BYTES / MARK.length)));
    expect(answer.status).toBe(413);
    tellsNothing(answer);
  });

  const deep = (open: string, close: string) => form(`${open.repeat(20_000)}1${close.repeat(20_000)}`);
  test.each<[string, string]>([
    ['nothing', ''],
    ['no payload', `other=${MARK}`],
    ['a payload that is no JSON', form(`{"${MARK}`)],
    ['a payload that is no map', form([MARK])],
    ['escapes that mean nothing', `payload=%E0%A4%A${MARK}`],
    ['lists in lists', deep('[', ']')],
    ['maps in maps', deep('{"a":', '}')],
    ['another kind of interaction', form({ type: 'view_submission', view: MARK })],
    ['an action that is not ours', press({ ...APPROVE, action_id: `sluice_${MARK}` })],
    ['an action of a name that all maps have', press({ ...APPROVE, action_id: 'constructor' })],
    ['actions that are no list', press(null, { actions: MARK })],
    ['a value with no text', press({ ...APPROVE, value: { toString: [] } })],
    ['a value that is a statement', press({ ...APPROVE, value: `7'; drop table run; --:${MARK}` })],
    ['nobody', press(APPROVE, { user: null })],
    ['somebody whose id is none', press(APPROVE, { user: { id: `../${MARK}` } })],
    ['a prototype', form('{"__proto__":{"type":"block_actions"}}')],
  ])('%s decides nothing', async (_, body) => {
    const answer = await send(body);
    expect([answer.status, answer.text]).toEqual([200, '']);
    tellsNothing(answer);
  });
});
