import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { LogKey, LogLine, LogStore } from '#core';

export interface LogsUnderTest {
  readonly logs: LogStore;
  /** The same logs as another machine sees them. */
  readonly elsewhere: LogStore;
  dispose(): Promise<void>;
}

const KEY: LogKey = { runId: '7', taskId: 'train', mapIndex: 0, number: 2 };
const line = (text: string, stream: LogLine['stream'] = 'out') => ({ at: 1000, stream, text });
const texts = (lines: readonly LogLine[]) => lines.map(({ text }) => text);

/** What every log store promises; each kind runs it with its own `make`. */
export function logConformance(kind: string, make: () => Promise<LogsUnderTest>): void {
  describe(`logs in ${kind}`, () => {
    let under: LogsUnderTest;
    let logs: LogStore;
    let elsewhere: LogStore;
    beforeEach(async () => {
      under = await make();
      ({ logs, elsewhere } = under);
    });
    afterEach(() => under.dispose());

    test('lines come back numbered from 1, with stream, time, rank and ANSI codes, and the log says when it is complete', async () => {
      const writer = await logs.open(KEY);
      void writer.write([line('one'), line('\u001b[31mzwei “2”\u001b[0m', 'err')]);
      void writer.write([{ ...line('', 'sys'), rank: 0 }]);
      expect(await writer.close()).toBe(3);
      expect(await elsewhere.read(KEY, { fromLine: 1, limit: 10 })).toEqual({
        lines: [
          { n: 1, at: 1000, stream: 'out', text: 'one' },
          { n: 2, at: 1000, stream: 'err', text: '\u001b[31mzwei “2”\u001b[0m' },
          { n: 3, at: 1000, stream: 'sys', text: '', rank: 0 },
        ],
        nextLine: 4,
        complete: true,
      });
    });

    test('a text of several lines is as many lines, whatever stands in them', async () => {
      const plain = ['one', '', 'a "quoted" \ttext', 'grün ✓', ''];
      const paths = ['C:\\new', '\\n', '\\\\n', '\\'];
      const writer = await logs.open(KEY);
      void writer.write([line(plain.join('\n')), { ...line(paths.join('\n'), 'err'), rank: 3 }]);
      void writer.write([line('last')]);
      expect(await writer.close()).toBe(10);
      const { lines } = await elsewhere.read(KEY, { fromLine: 1, limit: 20 });
      expect(texts(lines)).toEqual([...plain, ...paths, 'last']);
      expect(lines.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(lines[6]).toEqual({ n: 7, at: 1000, stream: 'err', text: '\\n', rank: 3 });
      expect(texts((await elsewhere.read(KEY, { fromLine: 4, limit: 2 })).lines)).toEqual(['grün ✓', '']);
    });

    test('a log nobody wrote to reads as empty; a silent one that was closed is complete', async () => {
      expect(await elsewhere.read(KEY, { fromLine: 1, limit: 10 })).toEqual({
        lines: [],
        nextLine: 1,
        complete: false,
      });
      expect(await (await logs.open(KEY)).close()).toBe(0);
      expect(await elsewhere.read(KEY, { fromLine: 1, limit: 10 })).toEqual({ lines: [], nextLine: 1, complete: true });
      expect(await elsewhere.read(KEY, { fromLine: 50, limit: 10 })).toMatchObject({ lines: [], complete: true });
    });

    test('pages over many segments hold every line once, in order', async () => {
      const count = 60_000;
      const writer = await logs.open(KEY);
      for (let n = 1; n <= count; n += 1000)
        void writer.write(Array.from({ length: 1000 }, (_, i) => line(`line ${n + i} ${'x'.repeat(30)}`)));
      await writer.close();
      const numbers: number[] = [];
      for (let fromLine = 1; ;) {
        const page = await elsewhere.read(KEY, { fromLine, limit: 7001 });
        for (const { n, text } of page.lines) {
          if (!text.startsWith(`line ${n} `)) throw new Error(`line ${n} says ${text}`);
          numbers.push(n);
        }
        fromLine = page.nextLine;
        if (page.complete) break;
      }
      expect(numbers).toEqual(Array.from({ length: count }, (_, i) => i + 1));
      expect(texts((await elsewhere.read(KEY, { fromLine: 43_210, limit: 1 })).lines)[0]).toMatch(/^line 43210 /);
    });

    test('a line longer than a segment is read whole', async () => {
      const writer = await logs.open(KEY);
      void writer.write([line('a'), line('y'.repeat(3_000_000)), line('b')]);
      await writer.close();
      const page = await elsewhere.read(KEY, { fromLine: 2, limit: 2 });
      expect(page.lines.map(({ text }) => text.length)).toEqual([3_000_000, 1]);
    });

    test('following gives lines as they are written, also when it began before the log, and ends with the log', async () => {
      const got: string[] = [];
      let wake = (): void => undefined;
      const followed = logs.follow(
        KEY,
        2,
        (lines) => (got.push(...texts(lines)), wake()),
        new AbortController().signal,
      );
      const received = (count: number) =>
        new Promise<void>((resolve) => {
          wake = () => got.length >= count && resolve();
          wake();
        });
      const writer = await logs.open(KEY);
      void writer.write([line('1'), line('2')]);
      await received(1);
      void writer.write([line('3')]);
      await received(2);
      await writer.close();
      await followed;
      expect(got).toEqual(['2', '3']);
    });

    test('following ends when its signal aborts', async () => {
      const stop = new AbortController();
      const followed = logs.follow(KEY, 1, () => undefined, stop.signal);
      stop.abort();
      await followed;
    });

    test('search ignores case and ANSI codes, finds text with quotes and newlines escaped, and stops at its limit', async () => {
      const writer = await logs.open(KEY);
      void writer.write([
        line('Loss: 0.5'),
        line('\u001b[1mlo\u001b[0mSS again'),
        line('say "ÄPFEL"\\n'),
        line('stream'),
        line('LOSS'),
      ]);
      await writer.close();
      expect(await elsewhere.search(KEY, 'loss', 10)).toEqual([1, 2, 5]);
      expect(await elsewhere.search(KEY, 'loss', 2)).toEqual([1, 2]);
      expect(await elsewhere.search(KEY, '"äpfel"\\N', 10)).toEqual([3]);
      expect(await elsewhere.search(KEY, 'stream', 10)).toEqual([4]);
      expect(await elsewhere.search(KEY, '"n":', 10)).toEqual([]);
      expect(await elsewhere.search(KEY, '', 10)).toEqual([]);
    });

    test('keys that leave the root are refused', async () => {
      await expect(async () =>
        logs.read({ ...KEY, taskId: '../../x' }, { fromLine: 1, limit: 1 }),
      ).rejects.toMatchObject({
        code: 'bad_request',
      });
    });

    test('a log that is opened again goes on after its last line, whoever wrote that', async () => {
      const first = await logs.open(KEY);
      void first.write([line('one'), line('two')]);
      await first.close();
      const second = await elsewhere.open(KEY);
      void second.write([line('three')]);
      expect(await second.close()).toBe(3);
      const page = await elsewhere.read(KEY, { fromLine: 1, limit: 9 });
      expect(texts(page.lines)).toEqual(['one', 'two', 'three']);
      expect(page.complete).toBe(true);
    });
  });
}
