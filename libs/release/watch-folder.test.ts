import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type FolderWatch, watchFolder, type WatchOptions } from './watch-folder.ts';

describe('watching a folder', () => {
  let folder: string;
  let watched: FolderWatch | null;
  let calls: number;
  let onCall: () => void;
  beforeEach(async () => {
    folder = path.join(await mkdtemp(path.join(os.tmpdir(), 'sluice-watch-')), 'dags');
    await mkdir(path.join(folder, 'deep', 'er'), { recursive: true });
    await writeFile(path.join(folder, 'a.yaml'), 'a');
    calls = 0;
    onCall = () => undefined;
    watched = null;
  });
  afterEach(async () => {
    watched?.close();
    await rm(path.dirname(folder), { recursive: true, force: true });
  });

  const start = (options: WatchOptions = {}) => {
    watched = watchFolder(folder, () => (calls++, onCall()), options);
  };
  /** Does `change` and resolves with the milliseconds until the next call. */
  const after = async (change: () => Promise<unknown>): Promise<number> => {
    const called = new Promise<void>((resolve) => (onCall = resolve));
    const began = performance.now();
    await change();
    await called;
    return performance.now() - began;
  };
  /** Events only: a poll that is an hour away cannot be what sees the change. */
  const EVENTS = { quietMs: 20, pollMs: 3_600_000 };

  test.each<[string, () => Promise<unknown>]>([
    ['a change of a file', () => writeFile(path.join(folder, 'a.yaml'), 'b')],
    ['a new file in a subfolder', () => writeFile(path.join(folder, 'deep/er/new.py'), '')],
    ['a removed file', () => rm(path.join(folder, 'a.yaml'))],
    [
      'an editor that writes beside and renames over',
      async () => {
        await writeFile(path.join(folder, '.a.yaml.new'), 'b');
        await rename(path.join(folder, '.a.yaml.new'), path.join(folder, 'a.yaml'));
      },
    ],
  ])('%s is seen by an event', async (_what, change) => {
    start(EVENTS);
    await after(change);
  });

  test('files in a folder made after the start are watched too', async () => {
    start(EVENTS);
    await after(() => mkdir(path.join(folder, 'fresh')));
    await after(() => writeFile(path.join(folder, 'fresh', 'x.yaml'), '1'));
    await after(() => writeFile(path.join(folder, 'fresh', 'x.yaml'), '22'));
    expect(calls).toBeGreaterThanOrEqual(3);
  });

  test('without events the poll sees changes, well within two seconds', async () => {
    await rm(folder, { recursive: true });
    start(); // nothing is there to be watched
    const elapsed = await after(async () => {
      await mkdir(folder);
      await writeFile(path.join(folder, 'late.yaml'), '');
    });
    expect(elapsed).toBeLessThan(1_900);
  });

  test('a folder that was removed and made anew is watched again', async () => {
    start({ quietMs: 20, pollMs: 50 });
    await after(() => rm(path.join(folder, 'deep'), { recursive: true }));
    await after(() => mkdir(path.join(folder, 'deep')));
    await after(() => writeFile(path.join(folder, 'deep', 'x'), ''));
  });

  test('a burst of writes is one call, after the quiet time', async () => {
    start({ quietMs: 150, pollMs: 3_600_000 });
    const elapsed = await after(async () => {
      for (let i = 0; i < 20; i++) await writeFile(path.join(folder, `f${i}`), '');
    });
    expect(elapsed).toBeGreaterThanOrEqual(145);
    expect(calls).toBe(1);
  });

  test('something that never stops writing does not hold the call back for ever', async () => {
    start({ quietMs: 300, pollMs: 3_600_000 });
    let writing = true;
    const writer = (async () => {
      for (let i = 0; writing; i++) await writeFile(path.join(folder, 'busy'), String(i));
    })();
    await after(() => Promise.resolve());
    writing = false;
    await writer;
  });

  test('after close nothing is called any more', async () => {
    start({ quietMs: 0, pollMs: 10 });
    watched?.close();
    await writeFile(path.join(folder, 'a.yaml'), 'c');
    const other = watchFolder(folder, () => undefined, { pollMs: 10 });
    await new Promise<void>((resolve) => {
      const seen = watchFolder(folder, resolve, { quietMs: 50 });
      watched = seen;
      void writeFile(path.join(folder, 'a.yaml'), 'd');
    });
    other.close();
    expect(calls).toBe(0);
  });
});
