import { describe, expect, test } from '@jest/globals';
import { anAlert } from '../testing/an-alert.ts';
import { refusedBlocks } from '../testing/slack-limits.ts';
import { withEvent } from './alert-history.ts';
import { formatSlackMessage, formatSlackReply } from './format-slack.ts';

const HOSTILE: Record<string, string> = {
  'mentions and links': '<!channel> <@U123> <#C1|x> <https://evil.example|bank> & @here @everyone',
  formatting: '*bold* _italic_ ~gone~ `code` :tada: > quote',
  'the end of a code block': '```\nend of block\n```',
  HTML: '</pre><script>alert(1)</script>',
  'terminal codes': '\u001b[31mred\u001b[0m \u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007',
  'direction overrides and control characters': '\u202eevil\u202c \u2066x\u2069 \u0000\u0007\u009b31m',
  'line breaks': 'first\r\nX-Injected: yes\n\nsecond',
  'right-to-left text': 'مرحبا بالعالم',
  'half a character': '\ud83d lone surrogate',
  'a long word': 'x'.repeat(20_000),
  'a long row of ampersands': '&'.repeat(20_000),
  nothing: '',
};

/** Every string that would be shown. */
function texts(part: unknown): string[] {
  if (typeof part === 'string') return [part];
  if (Array.isArray(part)) return part.flatMap(texts);
  if (typeof part === 'object' && part !== null) return Object.values(part).flatMap(texts);
  return [];
}

describe('the message in the channel', () => {
  test('tells of checks that warned by name, with what was found', () => {
    const title = 'Task "load": check "currency" 3 of 100 rows have other values';
    const details = [{ label: 'currency', value: '3 of 100 rows have other values' }];
    const body = formatSlackMessage({ ...anAlert(), event: 'check.warned', title, details }, []);
    expect(body.text).toBe(`⚠️ churn-model has data to look at in prod: ${title}`);
    expect(texts(body).join('\n')).toContain('currency');
    expect(refusedBlocks({ ...body })).toBeNull();
  });

  test('says state, pipeline, environment, task, try, exit code, owner, release, interval and links', () => {
    const body = formatSlackMessage(anAlert(), []);
    const all = texts(body).join('\n');
    expect(body.text).toBe('❌ churn-model failed in prod: Task "train" failed on try 2 of 2: exit code 3');
    for (const part of [
      'ml@acme.example',
      'aaaaaaaaaaaa',
      '2026-01-01 → 2026-01-02 UTC',
      'r-41',
      'ValueError: no rows',
    ])
      expect(all).toContain(part);
    expect(all).toContain('https://sluice.acme.example/runs/r-41');
    expect(all).toContain('https://sluice.acme.example/runs/r-41/train/0/2#L9');
    expect(refusedBlocks({ ...body })).toBeNull();
  });

  test('a recovery is green, says so, and keeps what had failed with a way to that run', () => {
    const past = withEvent([], anAlert());
    const body = formatSlackMessage(
      anAlert({
        event: 'run.recovered',
        title: 'Recovered by r-42',
        runId: 'r-42',
        runUrl: 'https://s.example/runs/r-42',
      }),
      past,
    );
    expect(body.attachments[0]?.color).toBe('#1f883d');
    expect(body.text).toBe('✅ churn-model recovered in prod: Recovered by r-42');
    const all = texts(body).join('\n');
    expect(all).toContain('Task "train" failed on try 2 of 2: exit code 3');
    expect(all).toContain('https://sluice.acme.example/runs/r-41');
    expect(all).toContain('https://s.example/runs/r-42');
  });

  test.each(Object.keys(HOSTILE))('%s cannot mention, link, format or break the limits', (name) => {
    const hostile = HOSTILE[name] ?? '';
    const alert = anAlert({
      title: hostile,
      pipeline: hostile,
      owner: hostile,
      runId: hostile,
      release: hostile,
      environment: hostile,
      details: Array.from({ length: 30 }, (_, index) => ({ label: `${index} ${hostile}`, value: hostile })),
      logTail: [hostile, hostile],
      runUrl: `javascript:alert(1)//${hostile}`,
      logUrl: `https://ok.example/${encodeURIComponent(hostile.replace(/\p{Cs}/gu, '')).slice(0, 100)}`,
    });
    const past = withEvent([], alert);
    for (const body of [
      formatSlackMessage(alert, past),
      formatSlackReply(alert, true),
      formatSlackReply(alert, false),
    ]) {
      if (body === null) continue;
      expect(refusedBlocks({ ...body })).toBeNull();
      for (const text of texts(body)) {
        // The only angle brackets are our own dates and links.
        expect(text.replace(/<!date\^[^<>]+>|<https:\/\/ok\.example\/[^<>|]*\|open the log>/g, '')).not.toMatch(/[<>]/);
        expect(text).not.toMatch(/javascript:/i);
        expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
        expect(text.match(/```/g)?.length ?? 0).toBeLessThanOrEqual(2);
      }
    }
  });

  test('a link that is not http(s) gets no button', () => {
    const body = formatSlackMessage(anAlert({ runUrl: 'javascript:alert(1)', logUrl: null }), []);
    expect(JSON.stringify(body)).not.toContain('button');
  });
});

describe('the reply in the thread', () => {
  test('holds the end of a log of 10,000 lines within the limit of one block', () => {
    const logTail = Array.from({ length: 10_000 }, (_, index) => `line ${index + 1} <b>&`);
    const reply = formatSlackReply(anAlert({ logTail }), true);
    const all = texts(reply).join('\n');
    expect(all).toContain('line 10000 &lt;b&gt;&amp;\n```');
    expect(all).toContain('line 9951 ');
    expect(all).not.toContain('line 9950 ');
    expect(all).toContain('Last 50 log lines');
    expect(refusedBlocks({ ...reply })).toBeNull();
  });

  test('there is none for a first event without a log, and one for each later event', () => {
    expect(formatSlackReply(anAlert({ logTail: [] }), true)).toBeNull();
    expect(formatSlackReply(anAlert({ logTail: [] }), false)?.text).toContain('churn-model failed in prod');
  });

  test('one endless line is cut, and indentation and the last drawing of a progress bar stay', () => {
    const long = formatSlackReply(anAlert({ logTail: ['<'.repeat(9000)] }), true);
    expect(refusedBlocks({ ...long })).toBeNull();
    expect(texts(long).join()).toContain('…');
    const bar = formatSlackReply(anAlert({ logTail: ['10%\r90%\r100%', '\tat train.py:3'] }), true);
    expect(texts(bar).join()).toContain('```\n100%\n    at train.py:3\n```');
  });
});
