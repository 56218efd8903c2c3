import { expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OutputPipes } from './child/output-pipes.mjs';

const CAPACITY = 64 * 1024;

test('a pipe that is refilled as fast as it is read is drained of what it held', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pipes-'));
  const pipes = new OutputPipes(folder);
  const pipe = pipes.open();
  const write = (char: string): number => writeSync(pipe.stdio as number, Buffer.alloc(CAPACITY, char));
  write('a');
  let taken = '';
  pipes.drain(pipe, (bytes) => {
    taken += bytes.toString();
    if (taken.length < 4 * CAPACITY) write('b');
  });
  expect(taken === 'a'.repeat(CAPACITY)).toBe(true);
  pipes.spawned(pipe);
  pipe.reader!.destroy();
  pipes.close(pipe, false);
  rmSync(folder, { recursive: true });
});
