import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { anAlert } from '../testing/an-alert.ts';
import { startSlackServer, type SlackServer } from '../testing/slack-server.ts';
import { createSlackSender } from './slack-sender.ts';

const CHANNEL = '#ml-alerts';
let slack: SlackServer;
beforeEach(async () => {
  slack = await startSlackServer({ token: 'xoxb-right' });
});
afterEach(() => slack.close());

const aSender = (token = 'xoxb-right', timeoutMs = 5000) =>
  createSlackSender({ token, apiUrl: slack.apiUrl, timeoutMs });
const failed = anAlert();
const recovered = anAlert({
  id: 'alert-2',
  event: 'run.recovered',
  runId: 'r-42',
  title: 'Run r-42 succeeded',
  logTail: [],
});

/** Sends and returns the thread; anything but `sent` fails the test. */
async function sent(...args: Parameters<ReturnType<typeof aSender>['send']>): Promise<string> {
  const result = await aSender().send(...args);
  if (result.kind !== 'sent') throw new Error(JSON.stringify(result));
  return result.thread;
}
const posts = () => slack.messages(CHANNEL).filter(({ threadTs }) => threadTs === null);

describe('one message per run', () => {
  test('the first event posts it with our id in its metadata, and the log goes into its thread', async () => {
    await sent(CHANNEL, failed, null, false);
    expect(posts()).toHaveLength(1);
    expect(posts()[0]).toMatchObject({
      edits: 0,
      metadata: { event_type: 'sluice_alert', event_payload: { id: 'alert-1', run: 'r-41' } },
    });
    expect(slack.calls[0]?.args).toMatchObject({
      parse: 'none',
      link_names: 'false',
      unfurl_links: 'false',
      unfurl_media: 'false',
    });
    expect(JSON.stringify(slack.replies(posts()[0]?.ts ?? ''))).toContain('ValueError: no rows');
  });

  test('a later event edits it and answers in its thread; what had failed stays', async () => {
    const thread = await sent(CHANNEL, failed, null, false);
    await sent(CHANNEL, recovered, thread, false);
    expect(posts()).toHaveLength(1);
    expect(posts()[0]).toMatchObject({ edits: 1, attachments: [{ color: '#1f883d' }] });
    expect(JSON.stringify(posts()[0])).toContain('exit code 3');
    expect(slack.replies(posts()[0]?.ts ?? '').map(({ text }) => text)).toEqual([
      expect.stringContaining('failed'),
      expect.stringContaining('recovered'),
    ]);
  });

  test('a message that somebody deleted is posted anew with its history', async () => {
    const thread = await sent(CHANNEL, failed, null, false);
    slack.fail('chat.update', { kind: 'error', error: 'message_not_found' });
    await sent(CHANNEL, recovered, thread, false);
    expect(posts()).toHaveLength(2);
    expect(JSON.stringify(posts()[1])).toContain('exit code 3');
  });

  test('a thread string that is not ours does not keep the alert from being sent', async () => {
    await sent(CHANNEL, failed, '{"channel":7}', false);
    await sent(CHANNEL, { ...failed, id: 'alert-9' }, 'not json', false);
    expect(posts()).toHaveLength(2);
  });

  test('blocks that Slack refuses become one line of text', async () => {
    slack.fail('chat.postMessage', { kind: 'error', error: 'invalid_blocks' });
    await sent(CHANNEL, failed, null, false);
    expect(posts()[0]).toMatchObject({ blocks: [], text: expect.stringContaining('exit code 3') });
  });
});

describe('what the outbox is told when it does not work', () => {
  test('a rate limit says how long to wait, and the sender does not wait itself', async () => {
    slack.fail('*', { kind: 'rate_limited', retryAfterSeconds: 30 });
    expect(await aSender().send(CHANNEL, failed, null, false)).toMatchObject({ kind: 'retry', afterMs: 30_000 });
    expect(slack.calls).toHaveLength(1);
  });

  test.each([500, 503, 408])('HTTP %d is worth another try, which the sender leaves to the outbox', async (status) => {
    slack.fail('*', { kind: 'status', status });
    expect(await aSender().send(CHANNEL, failed, null, false)).toMatchObject({ kind: 'retry', afterMs: null });
    expect(slack.calls).toHaveLength(1);
  });

  test('no answer in time, a refused connection and an unknown host are worth another try', async () => {
    slack.fail('*', { kind: 'hang' });
    expect(await aSender('xoxb-right', 50).send(CHANNEL, failed, null, false)).toMatchObject({ kind: 'retry' });
    await slack.refuse();
    expect(await aSender().send(CHANNEL, failed, null, false)).toMatchObject({ kind: 'retry' });
    const nowhere = createSlackSender({ token: 'x', apiUrl: 'http://slack.invalid/api/' });
    expect(await nowhere.send(CHANNEL, failed, null, false)).toMatchObject({ kind: 'retry' });
  });

  test('an unknown channel and a wrong token are final, and the error says what to do without the token', async () => {
    expect(await aSender().send('#no-such', failed, null, false)).toEqual({
      kind: 'rejected',
      error: 'Slack: channel_not_found (check the name, and invite the app to the channel)',
    });
    const wrong = await aSender('xoxb-wrong-secret').send(CHANNEL, failed, null, false);
    expect(wrong).toMatchObject({ kind: 'rejected', error: expect.stringContaining('invalid_auth') });
    expect(JSON.stringify(wrong)).not.toContain('xoxb-wrong-secret');
  });

  test('a page of a proxy instead of JSON is worth another try', async () => {
    slack.fail('*', { kind: 'status', status: 200, body: '<html>sign in</html>' });
    expect(await aSender().send(CHANNEL, failed, null, false)).toMatchObject({ kind: 'retry' });
  });
});

describe('in doubt', () => {
  test('a message whose answer was lost is found by its id and not posted again, even by another process', async () => {
    slack.fail('chat.postMessage', { kind: 'lose_answer' });
    expect(await aSender().send(CHANNEL, failed, null, false)).toMatchObject({ kind: 'retry' });
    await sent(CHANNEL, failed, null, true);
    expect(posts()).toHaveLength(1);
    expect(slack.replies(posts()[0]?.ts ?? '')).toHaveLength(1);
  });

  test('a reply whose answer was lost is not repeated either', async () => {
    const sender = aSender();
    const thread = await sent(CHANNEL, { ...failed, logTail: [] }, null, false);
    slack.fail('chat.postMessage', { kind: 'lose_answer' });
    expect(await sender.send(CHANNEL, recovered, thread, false)).toMatchObject({ kind: 'retry' });
    expect(await sender.send(CHANNEL, recovered, thread, true)).toMatchObject({ kind: 'sent' });
    expect(posts()).toHaveLength(1);
    expect(slack.replies(posts()[0]?.ts ?? '')).toHaveLength(1);
  });

  test('the same sender goes on with the reply when only that failed', async () => {
    const sender = aSender();
    slack.fail('chat.postMessage', { kind: 'status', status: 500 }, 2);
    expect(await sender.send(CHANNEL, failed, null, false)).toMatchObject({ kind: 'retry' });
    slack.heal();
    await slack.waitForCalls((calls) => calls.length >= 1);
    expect(await sender.send(CHANNEL, failed, null, false)).toMatchObject({ kind: 'sent' });
    expect(posts()).toHaveLength(1);
  });

  test('an alert that never arrived is sent', async () => {
    await sent(CHANNEL, failed, null, true);
    expect(posts()).toHaveLength(1);
  });

  test('an app that may not look sends again and says that it could not look', async () => {
    slack.fail('conversations.list', { kind: 'error', error: 'missing_scope' });
    expect(await aSender().send(CHANNEL, failed, null, true)).toMatchObject({
      kind: 'sent',
      detail: expect.stringContaining('could not look'),
    });
  });

  test('the message is found behind three pages of newer ones', async () => {
    await sent(CHANNEL, { ...failed, logTail: [] }, null, false);
    for (let index = 0; index < 450; index++) slack.writeAsOther(CHANNEL, `chatter ${index}`);
    const result = await aSender().send(CHANNEL, { ...failed, logTail: [] }, null, true);
    expect(result).toMatchObject({ kind: 'sent', detail: expect.stringContaining('an earlier try had arrived') });
    expect(posts()).toHaveLength(451);
  });
});
