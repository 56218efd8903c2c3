import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { LogKey, LogLine, LogStore } from '#core';
import { logConformance } from '../testing/log-conformance.ts';
import { createFileLogs } from './file-logs.ts';

const KEY: LogKey = { runId: '7', taskId: 'train', mapIndex: 0, number: 2 };
const line = (text: string, stream: LogLine['stream'] = 'out') => ({ at: 1000, stream, text });
const texts = (lines: readonly LogLine[]) => lines.map(({ text }) => text);

logConformance('files', async () => {
  const root = await mkdtemp(path.join(os.tmpdir(), 'sluice-logs-'));
  const logs = createFileLogs({ root });
  return { logs, elsewhere: createFileLogs({ root }), dispose: () => rm(root, { recursive: true, force: true }) };
});

describe('logs in files of this file system', () => {
  let root: string;
  let logs: LogStore;
  const folder = () => path.join(root, '.sluice/logs/7/train/0/2');
  beforeEach(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'sluice-logs-'));
    logs = createFileLogs({ root });
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  test('who writes faster than the disk is asked to wait, and until then loses nothing', async () => {
    const writer = await logs.open(KEY);
    const many = Array.from({ length: 1000 }, () => line('x'.repeat(1000)));
    expect(writer.write(many.slice(0, 10))).toBeNull();
    // In one turn of the event loop nothing of it can be written.
    const asked = Array.from({ length: 10 }, () => writer.write(many));
    expect(asked.slice(0, 3)).toEqual([null, null, null]);
    expect(asked.at(-1)).toBeInstanceOf(Promise);
    await asked.at(-1);
    expect(writer.write(many.slice(0, 10))).toBeNull();
    expect(await writer.close()).toBe(10_020);
  });

  test('a torn last line is skipped, and a writer that opens the log again goes on after the whole ones', async () => {
    const first = await logs.open(KEY);
    void first.write([line('one'), line('two')]);
    const seen = new AbortController();
    await logs.follow(KEY, 2, () => seen.abort(), seen.signal); // flushed, not closed: as a kill leaves it
    await appendFile(path.join(folder(), '00000001.ndjson'), '{"n":3,"at":1,"stream":"ou');
    expect(texts((await logs.read(KEY, { fromLine: 1, limit: 9 })).lines)).toEqual(['one', 'two']);
    const second = await logs.open(KEY);
    void second.write([line('three')]);
    expect(await second.close()).toBe(3);
    expect(await logs.read(KEY, { fromLine: 1, limit: 9 })).toMatchObject({ nextLine: 4, complete: true });
    expect(await logs.search(KEY, 'three', 5)).toEqual([3]);
    await first.close();
  });

  test.each(['torn {"n":2', '\0\0\0', '{"n":2},{"n":3}', ''])(
    'a damaged line (%j) is shown as such, alone',
    async (damaged) => {
      const writer = await logs.open(KEY);
      void writer.write([line('one\ntwo\nthree')]);
      await writer.close();
      const file = path.join(folder(), '00000001.ndjson');
      const records = (await readFile(file, 'utf8')).split('\n');
      await writeFile(file, records.with(1, damaged).join('\n'));
      const { lines } = await logs.read(KEY, { fromLine: 1, limit: 9 });
      expect(texts(lines)).toEqual(['one', '(this line of the log is damaged)', 'three']);
      expect(lines.map(({ n }) => n)).toEqual([1, 2, 3]);
    },
  );

  test('a line is found behind 200,000 others', async () => {
    const writer = await logs.open(KEY);
    for (let n = 0; n < 100; n += 1)
      void writer.write(Array.from({ length: 2000 }, (_, i) => line(`epoch ${n} batch ${i} loss 0.123456789`)));
    void writer.write([line('needle')]);
    await writer.close();
    expect(await logs.search(KEY, 'NEEDLE', 10)).toEqual([200_001]);
  });

  test('a log that cannot be written is told when it is closed', async () => {
    const writer = await logs.open({ ...KEY, number: 3 });
    await appendFile(path.join(root, '.sluice'), ''); // a file where the folder should be
    void writer.write([line('lost')]);
    await expect(writer.close()).rejects.toMatchObject({ code: expect.stringMatching(/ENOTDIR|EEXIST/) });
  });
});
