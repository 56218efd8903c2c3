import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { checkEventSignature } from './event-signature.ts';

const NOW = new Date('2026-01-01T12:00:00Z');
const BODY = '{"file":"a.csv"}';

function proof(body = BODY, secret = 's3cret', at = NOW.getTime() / 1000, format = 'sha256=') {
  const signature = `${format}${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;
  return { signature, timestamp: String(at) };
}

const check = (given: Parameters<typeof checkEventSignature>[1]) => () =>
  checkEventSignature(BODY, given, 's3cret', NOW);

describe('an event is its sender’s', () => {
  test('when it is signed with the secret, over these bytes and this time', () => {
    expect(check(proof())).not.toThrow();
    expect(check(proof(BODY, 's3cret', NOW.getTime() / 1000 - 300))).not.toThrow();
  });

  test.each([
    ['without a signature', { ...proof(), signature: undefined }],
    ['without a time', { ...proof(), timestamp: undefined }],
    ['with another secret', proof(BODY, 'another')],
    ['over another body', proof(`${BODY} `)],
    ['with another time than was signed', { ...proof(), timestamp: String(NOW.getTime() / 1000 + 1) }],
    ['older than five minutes', proof(BODY, 's3cret', NOW.getTime() / 1000 - 301)],
    ['from more than five minutes hence', proof(BODY, 's3cret', NOW.getTime() / 1000 + 301)],
    ['with a time that is none', { ...proof(), timestamp: 'NaN' }],
    ['in another format', proof(BODY, 's3cret', NOW.getTime() / 1000, 'sha1=')],
    ['cut short', { ...proof(), signature: proof().signature.slice(0, 20) }],
  ])('and not when it is %s', (_, given) => {
    expect(check(given)).toThrow(/missing or wrong/);
    expect(check(given)).not.toThrow(/s3cret/);
  });
});
