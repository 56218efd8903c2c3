import { afterAll, expect, test } from '@jest/globals';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReleaseFolders } from './release-folders.ts';

const root = mkdtempSync(join(tmpdir(), 'sluice-releases-'));
afterAll(() => rmSync(root, { recursive: true }));

/** As the release store: a folder that is not there is made when it is asked for. */
function unpacked(name: string): Promise<string> {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  for (const file of ['a.py', 'b.sql', 'daily.yaml']) writeFileSync(join(folder, file), '');
  return Promise.resolve(folder);
}

test('a release that was removed and is asked for again gets its folder again', async () => {
  const releases = new ReleaseFolders({ folder: unpacked });
  const opened = await releases.open('d1');
  expect(opened).toEqual({ folder: join(root, 'd1'), entries: ['a.py', 'b.sql'] });
  rmSync(opened.folder, { recursive: true });
  expect(await releases.open('d1')).toEqual(opened);
  expect(existsSync(opened.folder)).toBe(true);
});

test('every attempt asks for the folder, which may lie elsewhere by then', async () => {
  let name = 'first';
  const releases = new ReleaseFolders({ folder: () => unpacked(name) });
  expect((await releases.open('d2')).folder).toBe(join(root, 'first'));
  name = 'second';
  expect((await releases.open('d2')).folder).toBe(join(root, 'second'));
});
