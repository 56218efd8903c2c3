import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { anAlert, startJenkinsServer, type JenkinsServer } from '#testing';
import { createJenkinsSender } from './jenkins-sender.ts';

let jenkins: JenkinsServer;
let build: string;
let builds = 0;
beforeAll(async () => {
  jenkins = await startJenkinsServer();
});
beforeEach(() => {
  build = jenkins.build(`job/flights/job/main/${++builds}/`, 'prod');
});
afterAll(() => jenkins.close());

const tell = (answer: 'proceed' | 'abort', { to = build, token = jenkins.token, inDoubt = false } = {}) =>
  createJenkinsSender({ ...jenkins, token, timeoutMs: 2000 }).send(
    to,
    anAlert({ event: 'promotion.approved', input: { id: 'prod', answer } }),
    null,
    inDoubt,
  );

describe('a build that waits', () => {
  test('goes on, or ends, with a crumb and in the name of the account', async () => {
    expect(await tell('proceed')).toEqual({ kind: 'sent', thread: '', detail: 'input prod: proceed' });
    expect(jenkins.answers(build)).toEqual(['Prod proceed sluice']);
    build = jenkins.build('job/other/1/', 'prod');
    expect(await tell('abort')).toMatchObject({ kind: 'sent', detail: 'input prod: abort' });
    expect(jenkins.answers(build)).toEqual(['Prod abort sluice']);
  });

  test('whose answer is lost is answered once: it waits no more, and in the end has ended', async () => {
    jenkins.fail('proceed', { kind: 'lose_answer' });
    expect(await tell('proceed')).toMatchObject({ kind: 'retry', afterMs: null });
    expect(await tell('proceed', { inDoubt: true })).toMatchObject({
      ...{ kind: 'retry', afterMs: 15_000, error: expect.stringContaining('does not wait at its input prod') },
    });
    jenkins.end(build, 'SUCCESS');
    expect(await tell('proceed', { inDoubt: true })).toMatchObject({
      ...{ kind: 'sent', detail: 'the build has ended: SUCCESS' },
    });
    expect(jenkins.answers(build)).toEqual(['Prod proceed sluice']);
  });

  test('is answered as well where no crumbs are asked for', async () => {
    const open = await startJenkinsServer({ wantsCrumbs: false });
    build = open.build('job/a/1/', 'prod');
    const sender = createJenkinsSender(open);
    const alert = anAlert({ input: { id: 'prod', answer: 'proceed' } });
    expect(await sender.send(build, alert, null, false)).toMatchObject({ kind: 'sent' });
    expect(await sender.send(open.url + 'job/a/2/', alert, null, false)).toMatchObject({
      ...{ kind: 'sent', detail: 'there is no such build any more' },
    });
    await open.close();
  });
});

describe('an answer that does not arrive is tried again, and says why without a secret', () => {
  test.each([
    [{ kind: 'status', status: 503 }, 'Jenkins answered 503'],
    [{ kind: 'status', status: 302, location: 'http://evil.example/' }, 'is SLUICE_JENKINS_URL its own address?'],
    [{ kind: 'lose_answer' }, 'gave no answer'],
  ] as const)('%j', async (fault, why) => {
    jenkins.fail('*', fault);
    expect(await tell('proceed')).toEqual({ kind: 'retry', afterMs: null, error: expect.stringContaining(why) });
    expect(jenkins.answers(build)).toEqual([]);
  });

  test('a wrong token', async () => {
    const result = await tell('proceed', { token: 'another-hunter2' });
    expect(result).toMatchObject({ kind: 'retry', error: expect.stringMatching(/401.*SLUICE_JENKINS_TOKEN/) });
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });
});

test('nothing is sent to a build of another server', async () => {
  const other = await startJenkinsServer();
  const to = other.build('job/a/1/', 'prod');
  expect(await tell('proceed', { to })).toMatchObject({
    kind: 'retry',
    error: expect.stringContaining('is not a build'),
  });
  expect(other.calls).toEqual([]);
  await other.close();
});
