import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockInstance } from './instance-lock.ts';

let home: string;
let other: ChildProcess;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sluice-lock-'));
  other = spawn('sleep', ['60']);
});
afterEach(async () => {
  other.kill('SIGKILL');
  await rm(home, { recursive: true });
});
const file = (): string => join(home, 'sluice.pid');
const pid = (): number => other.pid ?? 0;

describe('the lock of a home folder', () => {
  test('keeps a second process out while the first lives, and says which', async () => {
    const lock = await lockInstance(home, pid());
    await expect(lockInstance(home)).rejects.toMatchObject({
      code: 'conflict',
      message: `Sluice already runs here (process ${pid()}, data in ${home}).`,
    });
    await lock.release();
    await (await lockInstance(home)).release();
    expect(await readdir(home)).toEqual([]);
  });

  test('counts for nothing once its process was killed', async () => {
    await lockInstance(home, pid());
    other.kill('SIGKILL');
    await new Promise((resolve) => other.once('close', resolve));
    await lockInstance(home);
    expect(await readFile(file(), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
  });

  test.each(['', 'rubbish', '0', '-1 5'])('holds nobody back when it reads %j', async (text) => {
    await writeFile(file(), text);
    await (await lockInstance(home)).release();
  });

  // When a process began is told by /proc alone.
  (process.platform === 'linux' ? test : test.skip)(
    'counts for nothing when its number belongs to another process by now',
    async () => {
      await lockInstance(home, pid());
      const [number = ''] = (await readFile(file(), 'utf8')).split(' ');
      await writeFile(file(), `${number} 17\n`);
      await lockInstance(home);
    },
  );

  test('goes to exactly one of many that start at once', async () => {
    await writeFile(file(), `999999 17\n`);
    const starters = [...Array(8).keys()].map(() => spawn('sleep', ['60']));
    try {
      const tries = starters.map((starter) => lockInstance(home, starter.pid));
      const taken = (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled');
      expect(taken).toHaveLength(1);
    } finally {
      for (const starter of starters) starter.kill('SIGKILL');
    }
  });
});
