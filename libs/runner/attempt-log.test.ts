import { describe, expect, test } from '@jest/globals';
import { AttemptLog, type ProcessLog, type TurnClock } from './attempt-log.ts';
import { createMasker } from './masker.ts';

function aLog(
  over: { maxBytes?: number; maxLineBytes?: number; secrets?: Record<string, string>; clock?: TurnClock } = {},
): {
  log: AttemptLog;
  lines: string[];
  texts: string[];
  messages: string[];
  opened: () => number;
} {
  const lines: string[] = [];
  const texts: string[] = [];
  const messages: string[] = [];
  let opened = 0;
  const log = new AttemptLog({
    open: () => {
      opened += 1;
      return Promise.resolve({
        write: (added) => {
          texts.push(...added.map(({ text }) => text));
          for (const { stream, text } of added) lines.push(...text.split('\n').map((line) => `${stream} ${line}`));
          return null;
        },
        close: () => Promise.resolve(lines.length),
      });
    },
    limits: { maxBytes: over.maxBytes ?? 10_000, maxLineBytes: over.maxLineBytes ?? 1_000 },
    masker: createMasker(over.secrets ?? {}),
    now: () => 0,
    ...(over.clock ? { clock: over.clock } : {}),
    onMessage: (line) => messages.push(line.text),
  });
  return { log, lines, texts, messages, opened: () => opened };
}

describe('an attempt’s log', () => {
  test('is not opened when nothing was said', async () => {
    const { log, opened } = aLog();
    log.endOfOutput();
    expect([await log.close(), opened()]).toEqual([0, 0]);
  });

  test('joins lines over chunks, keeps streams apart, and ends the last line', async () => {
    const { log, lines } = aLog();
    for (const piece of ['one\r\ntw', 'o\n\nthr', 'ee']) void log.output('out', Buffer.from(piece));
    void log.output('err', Buffer.from('bad\n'));
    log.endOfOutput();
    await log.close();
    expect(lines).toEqual(['out one', 'out two', 'out ', 'err bad', 'out three']);
  });

  test('takes UTF-8 split in the middle of a character, replaces what is none, keeps ANSI codes', async () => {
    const { log, lines } = aLog();
    for (const byte of Buffer.from('grün ✓\n')) void log.output('out', Buffer.from([byte]));
    void log.output('out', Buffer.from([0x61, 0xff, 0x00, 0x62, 0x0a]));
    void log.output('out', Buffer.from('\u001b[31mred\u001b[0m\n'));
    await log.close();
    expect(lines).toEqual(['out grün ✓', 'out a\ufffd\u0000b', 'out \u001b[31mred\u001b[0m']);
  });

  test('whole lines that come together are kept together', async () => {
    const { log, lines, texts } = aLog({ maxLineBytes: 12 });
    void log.output('out', Buffer.from('one\ntwo\n\nthree\nfour\nfi'));
    void log.output('out', Buffer.from('ve\nsix\n'));
    await log.close();
    expect(texts).toEqual(['one\ntwo\n', 'three\nfour', 'five', 'six']);
    expect(lines).toEqual(['one', 'two', '', 'three', 'four', 'five', 'six'].map((line) => `out ${line}`));
  });

  test.each(['out', 'err'] as const)('is the same however its output on %s is cut into chunks', async (stream) => {
    const secrets = { PLAIN: 'hunter2-hunter2', LINES: 'first line of it\nsecond line of it' };
    const output = Buffer.concat([
      Buffer.from(`plain\n\nsays hunter2-hunter2\n${secrets.LINES}\nwindows\r\n::metric name=a value=1::\n:: no\n`),
      Buffer.from([0x61, 0xff, 0xfe, 0x0a]),
      Buffer.from(`${'\xff'.repeat(60)}\n${'x'.repeat(70)} hunter2-hunter2\ngrün ✓ "quoted" \\n\n`, 'latin1'),
      Buffer.from(`${'short\n'.repeat(30)}::group::\n${'y\n'.repeat(30)}::output a=1::\nend`),
    ]);
    const cutInto = async (bytes: number): Promise<unknown> => {
      const { log, lines, messages } = aLog({ maxBytes: 900, maxLineBytes: 64, secrets });
      for (let at = 0; at < output.length; at += bytes) void log.output(stream, output.subarray(at, at + bytes));
      log.endOfOutput();
      await log.close();
      return { lines, messages };
    };
    const byteByByte = await cutInto(1);
    for (const bytes of [2, 7, 50, 100, 333, 10_000]) expect(await cutInto(bytes)).toEqual(byteByByte);
    expect(JSON.stringify(byteByByte)).not.toMatch(/hunter2|line of it/);
    expect(JSON.stringify(byteByByte)).toMatch(/more lines/);
  });

  test('cuts a long line and says so', async () => {
    const { log, lines } = aLog({ maxLineBytes: 10 });
    for (let piece = 0; piece < 1_024; piece += 1) void log.output('out', Buffer.alloc(1_024, 'x'));
    void log.output('out', Buffer.from('\nnext\n'));
    await log.close();
    expect(lines).toEqual(['out xxxxxxxxxx … (line of 1048576 bytes, cut at 10)', 'out next']);
  });

  test('keeps 50 MB out, counts what it left out, and still hears messages', async () => {
    const { log, lines, messages } = aLog({ maxBytes: 1_000 });
    const chunk = Buffer.from(`${'y'.repeat(99)}\n`.repeat(10_000));
    for (let piece = 0; piece < 50; piece += 1) void log.output('out', chunk);
    void log.output('out', Buffer.from('::metric name=a value=1::\n'));
    log.say('exit code 1');
    log.endOfOutput();
    await log.close();
    expect(messages).toEqual(['::metric name=a value=1::']);
    expect(lines.slice(10)).toEqual([
      'sys the log reached its limit of 1000 bytes: later lines are counted, not kept',
      'sys exit code 1',
      'sys … 499991 more lines (49999026 bytes) were not kept',
    ]);
  });

  test('hides a secret that is split over chunks, or by the cut of a long line', async () => {
    const { log, lines } = aLog({ secrets: { S: 'hunter2-hunter2' }, maxLineBytes: 12 });
    for (const char of 'x=hunter2-hunter2 y\n') void log.output('out', Buffer.from(char));
    void log.output('out', Buffer.from(`12345hunter2-hunter2${'z'.repeat(100)}\n`));
    log.say('failed with hunter2-hunter2');
    await log.close();
    expect(lines).toEqual(['out x=*** y', 'out 12345***zzzz … (line of 120 bytes, cut at 12)', 'sys failed with ***']);
  });

  test('shows no part of a secret that was torn where reading a long line stopped', async () => {
    const secret = 'hunter2-hunter2';
    const { log, lines } = aLog({ secrets: { S: secret }, maxLineBytes: 400 });
    // So many that their stars leave room for what comes after them, in each possible place.
    for (let shift = 0; shift < secret.length; shift += 1)
      void log.output('out', Buffer.from(`${'x'.repeat(shift)}${secret.repeat(1_000)}\n`));
    await log.close();
    expect(lines).toHaveLength(secret.length);
    for (const line of lines) expect(line).toMatch(/^out x*\*+ … \(line of/);
  });

  test('output rests three times as long as reading it took, whichever process of the attempt it is from', async () => {
    let time = 0;
    const rests: number[] = [];
    let goOn = (): void => undefined;
    const { log, lines } = aLog({
      clock: {
        now: () => (time += 1), // each chunk takes a millisecond
        rest: (ms) => {
          rests.push(ms);
          return new Promise<void>((resolve) => (goOn = resolve));
        },
      },
    });
    const replica = log.ofReplica(1, () => undefined);
    const said: string[] = [];
    const say = (by: ProcessLog): Promise<void> | null => {
      const text = `line ${said.length}`;
      said.push(`out ${text}`);
      return by.output('out', Buffer.from(`${text}\n`));
    };
    for (const by of [log, replica, log]) expect(say(by)).toBeNull();
    const resting = [say(log), say(replica), say(log)];
    expect(rests).toEqual([12]);
    goOn();
    await Promise.all(resting);
    // What came meanwhile was read, and counts.
    expect(say(log)).toBeNull();
    expect(say(log)).toBeInstanceOf(Promise);
    await log.close();
    expect(lines).toEqual(said);
  });

  test('tells at the end that it could not be written', async () => {
    const log = new AttemptLog({
      open: () => Promise.reject(new Error('ENOSPC: no space left')),
      limits: { maxBytes: 10, maxLineBytes: 10 },
      masker: createMasker({}),
      now: () => 0,
      onMessage: () => undefined,
    });
    log.say('hello');
    await expect(log.close()).rejects.toThrow('ENOSPC');
  });
});
