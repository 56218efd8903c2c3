import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepToken, readServerFile, removeServerFile, writeServerFile } from './server-file.ts';

let home: string;
beforeEach(async () => {
  home = join(await mkdtemp(join(tmpdir(), 'sluice-home-')), 'not-made-yet');
});
afterEach(() => rm(join(home, '..'), { recursive: true }));

const content = {
  url: 'http://127.0.0.1:7460',
  token: 'secret',
  pid: process.pid,
  startedAt: '2026-01-01T00:00:00.000Z',
};
const modeOf = async (file: string) => (await stat(join(home, file))).mode & 0o777;

describe('server.json', () => {
  test('is read back as it was written, and only its owner may read it', async () => {
    expect(await readServerFile(home)).toBeNull();
    await writeServerFile(home, { ...content, url: 'http://old' });
    await writeServerFile(home, content);
    expect(await readServerFile(home)).toEqual(content);
    expect(await modeOf('server.json')).toBe(0o600);
    expect(await readdir(home)).toEqual(['server.json']);
  });

  test('is removed by the process it names, and by no other', async () => {
    await writeServerFile(home, content);
    await removeServerFile(home, process.pid + 1);
    expect(await readServerFile(home)).not.toBeNull();
    await removeServerFile(home);
    expect(await readServerFile(home)).toBeNull();
    await removeServerFile(home);
  });

  test('a broken one is explained', async () => {
    await writeServerFile(home, content);
    await writeFile(join(home, 'server.json'), '{"url": 1');
    await expect(readServerFile(home)).rejects.toMatchObject({
      code: 'invalid_config',
      hint: expect.stringContaining('Delete it'),
    });
  });
});

test('the token is made once: 32 random bytes that only the owner may read', async () => {
  const token = await keepToken(home);
  expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  expect(await keepToken(home)).toBe(token);
  expect(await modeOf('token')).toBe(0o600);
  await writeFile(join(home, 'token'), 'too short');
  const other = await keepToken(home);
  expect(other).not.toBe(token);
  expect(Buffer.from(other, 'base64url')).toHaveLength(32);
});
