import { describe, expect, test } from '@jest/globals';
import { anAlert } from '../testing/an-alert.ts';
import { withEvent } from './alert-history.ts';
import { formatEmail } from './format-email.ts';

describe('a mail about an alert', () => {
  test('the subject names environment, pipeline, task and reason', () => {
    expect(formatEmail(anAlert(), []).subject).toBe('[prod] churn-model failed: task "train" (exit code 3)');
    expect(formatEmail(anAlert({ event: 'run.late', title: 'Not finished 30 m after its start' }), []).subject).toBe(
      '[prod] churn-model late: Not finished 30 m after its start',
    );
  });

  test('text and HTML say the same: facts, links, log, and what came before', () => {
    const past = withEvent([], anAlert());
    const { text, html } = formatEmail(anAlert({ event: 'run.recovered', title: 'Recovered' }), past);
    for (const part of [
      '✅ churn-model recovered in prod',
      '2026-01-01 → 2026-01-02 UTC',
      'ml@acme.example',
      'https://sluice.acme.example/runs/r-41/train/0/2#L9',
      'ValueError: no rows',
    ]) {
      expect(text).toContain(part);
      expect(html).toContain(part);
    }
    expect(text).toContain('failed, 2026-01-02 06:00 UTC: Task "train" failed on try 2 of 2: exit code 3');
    expect(html).toContain('prefers-color-scheme: dark');
  });

  test('hostile text forms no element, attribute, header or link', () => {
    const hostile = `"><script>alert('x')</script><img src=x onerror=alert(1)>\r\nBcc: all@evil.example\u202e\u001b[31m`;
    const { subject, text, html } = formatEmail(
      anAlert({
        title: hostile,
        pipeline: hostile,
        environment: hostile,
        owner: hostile,
        details: [{ label: hostile, value: hostile }],
        logTail: [hostile, '</pre></body>'],
        runUrl: `javascript:${hostile}`,
        logUrl: `https://ok.example/?q="><script>`,
      }),
      [],
    );
    expect(subject).not.toMatch(/[\r\n]/);
    expect(html).not.toMatch(/<script|<img|javascript:|onerror=alert\(1\)>/);
    expect(html.match(/<\/pre>/g)).toHaveLength(1);
    expect(html).toContain('href="https://ok.example/?q=%22%3E%3Cscript%3E"');
    for (const shown of [subject, text, html]) expect(shown).not.toMatch(/[\u001b\u202e]/);
    expect(text).not.toMatch(/^Bcc:/m);
  });

  test('of 10,000 log lines the last 100 are shown, and the caption says so', () => {
    const logTail = Array.from({ length: 10_000 }, (_, index) => `line ${index + 1}`);
    const { text } = formatEmail(anAlert({ logTail }), []);
    expect(text).toContain('Last 100 log lines:\n  line 9901\n');
    expect(text.trimEnd().endsWith('line 10000')).toBe(true);
  });
});
