import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { anAlert } from '../testing/an-alert.ts';
import { startSmtpServer, type SmtpTestServer } from '../testing/smtp-server.ts';
import { createEmailSender } from './email-sender.ts';

const TO = 'oncall@acme.example';
const FROM = 'Sluice <sluice@acme.example>';
let smtp: SmtpTestServer;
beforeEach(async () => {
  smtp = await startSmtpServer();
});
afterEach(() => smtp.close());
const aSender = (smtpUrl = smtp.url) => createEmailSender({ smtpUrl, from: FROM, timeoutMs: 5000 });

describe('mails about a run', () => {
  test('arrive with subject, text, HTML and a Message-ID made from the alert id', async () => {
    expect(await aSender().send(TO, anAlert(), null, false)).toMatchObject({ kind: 'sent' });
    const [mail] = smtp.mails;
    expect(mail).toMatchObject({ from: 'sluice@acme.example', to: [TO] });
    expect(mail?.parsed.subject).toBe('[prod] churn-model failed: task "train" (exit code 3)');
    expect(mail?.parsed.messageId).toBe('<sluice.alert-1@acme.example>');
    expect(mail?.parsed.text).toContain('ValueError: no rows');
    expect(mail?.parsed.html).toContain('ValueError: no rows');
    expect(mail?.parsed.headers.get('auto-submitted')).toBe('auto-generated');
  });

  test('refer to the earlier one, so that mail programs show one conversation', async () => {
    const ids: (string | undefined)[] = [];
    let thread: string | null = null;
    for (const [index, event] of (['task.retrying', 'run.failed', 'run.recovered'] as const).entries()) {
      const result = await aSender().send(TO, anAlert({ id: `a${index}`, event }), thread, false);
      thread = result.kind === 'sent' ? result.thread : null;
      ids.push(smtp.mails[index]?.parsed.messageId);
    }
    expect(smtp.mails[0]?.parsed.inReplyTo).toBeUndefined();
    expect(smtp.mails[2]?.parsed.inReplyTo).toBe(ids[1]);
    expect(smtp.mails[2]?.parsed.references).toEqual([ids[0], ids[1]]);
    expect(smtp.mails[2]?.parsed.text).toContain('Before:');
  });

  test('sent again in doubt carries the same Message-ID', async () => {
    smtp.fail('data', { kind: 'lose_answer' });
    expect(await aSender().send(TO, anAlert(), null, false)).toMatchObject({ kind: 'retry' });
    expect(await aSender().send(TO, anAlert(), null, true)).toMatchObject({ kind: 'sent' });
    expect(new Set(smtp.mails.map(({ parsed }) => parsed.messageId)).size).toBe(1);
  });

  test('no value becomes a header or a recipient', async () => {
    const hostile = 'x\r\nBcc: all@evil.example\r\n\r\n<h1>';
    const alert = anAlert({ id: hostile, title: hostile, pipeline: hostile, environment: hostile, runId: hostile });
    expect(await aSender().send(TO, alert, hostile, false)).toMatchObject({ kind: 'sent' });
    expect(smtp.mails[0]?.to).toEqual([TO]);
    expect(smtp.mails[0]?.parsed.bcc).toBeUndefined();
    expect(smtp.mails[0]?.raw).not.toMatch(/^bcc:/im);
    expect(smtp.mails[0]?.parsed.messageId).toMatch(/^<sluice\.[0-9a-f]{40}@acme\.example>$/);
  });
});

describe('what the outbox is told when it does not work', () => {
  test.each([
    ['rcpt', 550, 'rejected'],
    ['data', 554, 'rejected'],
    ['mail', 553, 'rejected'],
    ['rcpt', 451, 'retry'],
    ['data', 452, 'retry'],
    ['connect', 421, 'retry'],
  ] as const)('at %s the answer %d means %s', async (point, code, kind) => {
    smtp.fail(point, { kind: 'reject', code, text: 'not today' });
    expect(await aSender().send(TO, anAlert(), null, false)).toMatchObject({
      kind,
      error: expect.stringContaining(String(code)),
    });
  });

  test('a refused connection, an unknown host and a silent server are worth another try', async () => {
    smtp.fail('data', { kind: 'hang' });
    const hasty = createEmailSender({ smtpUrl: smtp.url, from: FROM, timeoutMs: 100 });
    expect(await hasty.send(TO, anAlert(), null, false)).toMatchObject({ kind: 'retry' });
    await smtp.refuse();
    expect(await aSender().send(TO, anAlert(), null, false)).toMatchObject({ kind: 'retry' });
    expect(await aSender('smtp://smtp.invalid:25').send(TO, anAlert(), null, false)).toMatchObject({ kind: 'retry' });
  });

  test.each(['', 'nobody', 'a@b, c@d', 'a@b\r\nBcc: c@d', '"x" <a@b>', 'a b@c'])(
    'the target %j is not one address and is refused before anything is sent',
    async (target) => {
      expect(await aSender().send(target, anAlert(), null, false)).toMatchObject({ kind: 'rejected' });
      expect(smtp.mails).toHaveLength(0);
    },
  );

  test('a wrong password is final and appears nowhere', async () => {
    const guarded = await startSmtpServer({ login: { user: 'sluice', password: 'right' } });
    try {
      const url = guarded.url.replace('://', '://sluice:wr0ng-secret@');
      const result = await aSender(url).send(TO, anAlert(), null, false);
      expect(result).toMatchObject({ kind: 'rejected', error: expect.stringContaining('535') });
      expect(JSON.stringify(result)).not.toContain('wr0ng-secret');
    } finally {
      await guarded.close();
    }
  });
});
