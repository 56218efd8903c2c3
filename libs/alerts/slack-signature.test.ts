import { describe, expect, test } from '@jest/globals';
import { signedBySlack } from '../testing/slack-press.ts';
import { isSignedBySlack } from './slack-signature.ts';

const NOW = new Date('2026-01-01T12:00:00Z');
const SECRET = '8f742231b10e8888abcd99yyyzzz85a5';
const BODY = 'payload=%7B%22type%22%3A%22block_actions%22%7D';

function proof(body = BODY, secret = SECRET, at = NOW) {
  const headers = signedBySlack(body, { secret, at });
  return { signature: headers['x-slack-signature'], timestamp: headers['x-slack-request-timestamp'] };
}
const check = (given: { signature: string | undefined; timestamp: string | undefined }, body = BODY) =>
  isSignedBySlack(body, given, SECRET, NOW);

describe('a request is Slack’s', () => {
  test('when it is signed with the secret, over these bytes and this time', () => {
    expect(check(proof())).toBe(true);
    // The example of Slack's own documentation.
    const example =
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
    const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
    const at = new Date(1531420618 * 1000);
    expect(isSignedBySlack(example, { signature, timestamp: '1531420618' }, SECRET, at)).toBe(true);
  });

  test.each([
    ['without a signature', { ...proof(), signature: undefined }],
    ['without a time', { ...proof(), timestamp: undefined }],
    ['with another secret', proof(BODY, 'another-secret-0123456789')],
    ['over another body', proof(`${BODY}&x=1`)],
    ['with another time than it was signed with', { ...proof(), timestamp: String(NOW.getTime() / 1000 + 1) }],
    ['older than five minutes', proof(BODY, SECRET, new Date(NOW.getTime() - 301_000))],
    ['from more than five minutes hence', proof(BODY, SECRET, new Date(NOW.getTime() + 301_000))],
    ['with a time that is none', { ...proof(), timestamp: 'NaN' }],
    ['of another version', { ...proof(), signature: proof().signature.replace('v0=', 'v1=') }],
    ['cut short', { ...proof(), signature: proof().signature.slice(0, 20) }],
    ['in capitals', { ...proof(), signature: proof().signature.toUpperCase() }],
    ['empty', { signature: '', timestamp: '' }],
  ])('and not when it is %s', (_, given) => {
    expect(check(given)).toBe(false);
  });
});
