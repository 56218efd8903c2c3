import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startSlackServer, startSmtpServer, type SlackServer, type SmtpTestServer } from '#testing';
import { TestProject, type RunningStandalone } from './standalone-fixture.ts';

const DEV = `
name: dev
storage: file://./.sluice/storage/dev
schedules: active
pools: { default: 4 }
alerts:
  slack: { channel: "#ml-alerts" }
  email: { to: [ml@acme.example] }
  on: [run.failed, run.recovered]
`;
/** Fails with 3 on both tries until the file exists. */
const FLAKY = `
name: flaky
params: { mended: { type: string, default: /nowhere } }
tasks:
  train:
    run: |
      echo "epoch 1"
      echo "loss is NaN"
      test -e "$PARAM_MENDED" || exit 3
    retries: { max: 1, delay: 1s }
`;
const GOOD = 'name: good\ntasks:\n  say:\n    run: echo hello\n';

let slack: SlackServer;
let smtp: SmtpTestServer;
let project: TestProject;
let running: RunningStandalone;
const start = () =>
  project.start({
    env: { SLACK_BOT_TOKEN: 'xoxb-test', SLACK_API_URL: slack.apiUrl, SMTP_URL: smtp.url, SLUICE_LOG_LEVEL: 'error' },
  });
beforeAll(async () => {
  [slack, smtp] = await Promise.all([startSlackServer({ token: 'xoxb-test' }), startSmtpServer()]);
  project = await TestProject.create({
    'environments/dev.yaml': DEV,
    'dags/flaky.yaml': FLAKY,
    'dags/good.yaml': GOOD,
  });
  running = await start();
});
afterEach(() => slack.heal());
afterAll(async () => {
  await project.destroy();
  await Promise.all([slack.close(), smtp.close()]);
});

/** Messages in the channel, replies left out, that are about this run. */
const about = (runId: string) =>
  slack.messages('#ml-alerts').filter((m) => m.threadTs === null && m.metadata?.event_payload['run'] === runId);
const mailsAbout = (runId: string) => smtp.mails.filter(({ raw }) => raw.includes(`/runs/${runId}`));
const deliveries = async (runId: string) =>
  (await running.client.alerts({ env: 'dev' })).items.filter((item) => item.runId === runId);
const allSent = (runId: string, count: number) =>
  running.when(
    `${count} alerts about run ${runId}`,
    async () => {
      const items = await deliveries(runId);
      return items.length === count && items.every(({ state }) => state === 'sent') ? items : null;
    },
    40_000,
  );
const failing = async (mended = '/nowhere') => {
  const run = await running.run('flaky', { mended });
  expect(run).toMatchObject({ state: 'failed', reason: expect.stringContaining('train') });
  return run.id;
};

describe('a pipeline that exits with 3 on both tries', () => {
  test('sends one Slack message and one mail, with the cause, the last log lines and a link', async () => {
    const mended = join(project.folder, 'mended');
    const id = await failing(mended);
    await allSent(id, 2);
    expect((await running.client.taskRun({ runId: id, task: 'train' })).attempts).toMatchObject([
      { number: 1, state: 'failed', exitCode: 3 },
      { number: 2, state: 'failed', exitCode: 3 },
    ]);
    const [message, ...others] = about(id);
    expect(others).toEqual([]);
    const shown = JSON.stringify(message);
    expect(shown).toContain('on try 2 of 2');
    expect(shown).toContain(`${running.url}/runs/${id}`);
    expect(JSON.stringify(slack.replies(message?.ts ?? ''))).toContain('loss is NaN');
    expect(mailsAbout(id)).toHaveLength(1);
    expect(mailsAbout(id)[0]).toMatchObject({ to: ['ml@acme.example'] });
    expect(mailsAbout(id)[0]?.parsed.text).toContain('loss is NaN');
    expect(mailsAbout(id)[0]?.parsed.html).toContain(`${running.url}/runs/${id}`);

    await writeFile(mended, '');
    const rerun = await project.sluice('runs', 'rerun', id, '--failed', '--json');
    expect(rerun).toMatchObject({ code: 0 });
    const { id: second } = JSON.parse(rerun.out) as { id: string };
    expect(await running.endOf(second)).toMatchObject({ state: 'success', originRun: id });
    await allSent(id, 4);
    expect([...about(id), ...about(second)]).toMatchObject([
      { ts: message?.ts, edits: 1, text: expect.stringContaining('recovered') },
    ]);
    expect(smtp.mails.filter(({ raw }) => raw.includes('In-Reply-To:'))).toHaveLength(1);
  });

  test('the delivery log says what went where, when and with which answer', async () => {
    const items = (await running.client.alerts({ env: 'dev' })).items.map(
      ({ event, target, state, tries, detail, sentAt }) => ({
        event,
        target,
        state,
        tries,
        detail,
        sent: sentAt !== null,
      }),
    );
    const sent = { state: 'sent', tries: 1, sent: true, detail: expect.stringMatching(/./) };
    expect(items.sort((a, b) => (a.event + a.target < b.event + b.target ? -1 : 1))).toEqual([
      { event: 'run.failed', target: 'email:ml@acme.example', ...sent },
      { event: 'run.failed', target: 'slack:#ml-alerts', ...sent },
      { event: 'run.recovered', target: 'email:ml@acme.example', ...sent },
      { event: 'run.recovered', target: 'slack:#ml-alerts', ...sent },
    ]);
  });
});

describe('a Slack that does not answer', () => {
  test('delays no run and no mail', async () => {
    slack.fail('*', { kind: 'hang' }, Number.POSITIVE_INFINITY);
    const ids = [await failing(), await failing()];
    for (const id of ids) {
      await running.when(
        'the mail',
        async () => (await deliveries(id)).some((d) => d.target.startsWith('email') && d.state === 'sent'),
        8000,
      );
      expect((await deliveries(id)).find(({ target }) => target.startsWith('slack'))).toMatchObject({
        state: 'pending',
      });
    }
    for (let runs = 0; runs < 3; runs++) {
      const { state, createdAt, finishedAt } = await running.run('good');
      expect(state).toBe('success');
      expect(Date.parse(finishedAt ?? '') - Date.parse(createdAt)).toBeLessThan(5000);
    }
    slack.heal();
    for (const id of ids) {
      await allSent(id, 2);
      expect(about(id)).toHaveLength(1);
      expect(mailsAbout(id)).toHaveLength(1);
    }
  });
});

describe('kill -9 between the commit and the send', () => {
  test('what was not sent is sent after the next start, once', async () => {
    await slack.refuse();
    smtp.fail('connect', { kind: 'reject', code: 421 }, Number.POSITIVE_INFINITY);
    const id = await failing();
    await running.when('a try', async () => (await deliveries(id)).every(({ tries }) => tries > 0));
    await running.kill();
    await slack.listen();
    smtp.heal();
    expect([about(id), mailsAbout(id)]).toEqual([[], []]);
    running = await start();
    await allSent(id, 2);
    expect([about(id).length, mailsAbout(id).length]).toEqual([1, 1]);
  });

  test('while Slack holds the answer back: looked for, and sent because it is not there', async () => {
    slack.fail('chat.postMessage', { kind: 'hang' });
    const calls = slack.calls.length;
    const id = await failing();
    await slack.waitForCalls((all) => all.slice(calls).some(({ method }) => method === 'chat.postMessage'));
    await running.kill();
    expect(about(id)).toEqual([]);
    running = await start();
    await allSent(id, 2);
    expect(about(id)).toHaveLength(1);
  });

  test('between the send and the note of it: looked for, found, and not sent again', async () => {
    slack.fail('chat.postMessage', { kind: 'lose_answer' });
    const calls = slack.calls.length;
    const id = await failing();
    await slack.waitForCalls((all) => all.slice(calls).some(({ method }) => method === 'chat.postMessage'));
    await running.kill();
    expect(about(id)).toHaveLength(1);
    running = await start();
    const items = await allSent(id, 2);
    expect(about(id)).toHaveLength(1);
    expect(items.find(({ target }) => target.startsWith('slack'))?.detail).toContain('an earlier try had arrived');
  });
});
