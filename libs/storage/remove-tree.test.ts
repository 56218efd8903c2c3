import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createFileStorage } from './file-storage.ts';

const NOBODY = { uid: 65_534, gid: 65_534 };
/** Only root can become somebody else; an ordinary user is one already. */
const isRoot = process.getuid?.() === 0;
const testAsRoot = isRoot ? test : test.skip;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'sluice-remove-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** As a server runs that is not root's. */
async function asOrdinaryUser<T>(act: () => Promise<T>): Promise<T> {
  if (!isRoot) return act();
  await chown(root, NOBODY.uid, NOBODY.gid);
  process.seteuid!(NOBODY.uid);
  try {
    return await act();
  } finally {
    process.seteuid!(0);
  }
}

/** A folder that holds a file and is `mode`. */
async function aFolder(folder: string, mode: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'file'), 'x');
  await chmod(folder, mode);
}

const staging = (name = ''): string => path.join(root, '.sluice/staging', name);
const left = () => readdir(staging());

describe('what tasks left read-only', () => {
  test('is removed from staging, and by the sweep', async () => {
    await asOrdinaryUser(async () => {
      const storage = createFileStorage({ root });
      const request = { runId: '1', reads: [], writes: [{ name: 'out', variable: 'PATH_OUT', location: 'p/out' }] };
      const [ended, killed] = [
        await storage.stage({ ...request, attemptId: '1' }),
        await storage.stage({ ...request, attemptId: '2' }),
      ];
      for (const { folders } of [ended, killed]) await aFolder(path.join(folders.PATH_OUT!, 'mod/cache'), 0o500);
      await storage.discard(ended);
      expect(await left()).toEqual([path.basename(killed.root)]);
      expect(await storage.sweep({ olderThanMs: -60_000 })).toBe(1);
      expect(await left()).toEqual([]);
    });
  });

  test('is erased with its version; what it links to stays as it is', async () => {
    await asOrdinaryUser(async () => {
      const storage = createFileStorage({ root });
      const version = path.join(root, '.sluice/versions/p/out/1');
      await aFolder(path.join(root, 'other'), 0o500);
      await mkdir(version, { recursive: true });
      await symlink(path.join(root, 'other'), path.join(version, 'link'));
      await aFolder(path.join(version, 'part'), 0o500);
      await storage.erase('p/out/1');
      expect(await left()).toEqual([]);
      await expect(writeFile(path.join(root, 'other/more'), 'x')).rejects.toMatchObject({ code: 'EACCES' });
      await chmod(path.join(root, 'other'), 0o700);
    });
  });
});

testAsRoot('a folder that cannot be removed is told of, and keeps no other from being swept', async () => {
  await aFolder(staging('1-a/of-root'), 0o755);
  await aFolder(staging('2-b'), 0o755);
  for (const folder of [staging(), staging('1-a'), staging('2-b')]) await chown(folder, NOBODY.uid, NOBODY.gid);
  await asOrdinaryUser(async () => {
    const storage = createFileStorage({ root });
    await expect(storage.sweep({ olderThanMs: -60_000 })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^1 of 2 folders cannot be removed: .*1-a/),
    });
  });
  expect(await left()).toEqual(['1-a']);
});
