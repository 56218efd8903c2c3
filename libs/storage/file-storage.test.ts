import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { storageConformance } from '../testing/storage-conformance.ts';
import type { EnvironmentStorage } from './environment-storage.ts';
import { createFileStorage } from './file-storage.ts';

const temporaryRoot = () => mkdtemp(path.join(os.tmpdir(), 'sluice-storage-'));

storageConformance('file', async () => {
  const root = await temporaryRoot();
  const shown = async (location: string) => {
    const target = await readlink(path.join(root, location)).catch(() => null);
    const folder = target === null ? null : path.resolve(path.dirname(path.join(root, location)), target);
    return folder === null ? null : path.relative(path.join(root, '.sluice/versions'), folder);
  };
  return {
    shown,
    storage: createFileStorage({ root }),
    damage: async (version, file) => {
      const gone = path.join(root, '.sluice/versions', version, file);
      await chmod(path.dirname(gone), 0o700);
      await rm(gone);
    },
    readAt: (uri, file) => readFile(new URL(file, uri), 'utf8'),
    writeAt: async (uri, file, text) => {
      await mkdir(new URL('.', new URL(file, uri)), { recursive: true });
      await writeFile(new URL(file, uri), text);
    },
    dispose: () => rm(root, { recursive: true, force: true }),
  };
});

describe('file storage on this file system', () => {
  let root: string;
  let storage: EnvironmentStorage;
  beforeEach(async () => {
    root = await temporaryRoot();
    storage = createFileStorage({ root });
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const stage = (location = 'p/out') =>
    storage.stage({ attemptId: '5', runId: '1', reads: [], writes: [{ name: 'out', variable: 'PATH_OUT', location }] });
  const about = { release: 'r', pipeline: 'p', runId: '1', taskId: 't', mapIndex: 0, attempt: 1, fence: 1 };
  const publish = async (text: string, location = 'p/out') => {
    const staged = await stage(location);
    await writeFile(path.join(staged.folders.PATH_OUT as string, 'data'), text);
    const [published] = await storage.seal(staged, about);
    return published!.version;
  };
  const shown = async (location = 'p/out') => readFile(path.join(root, location, 'data'), 'utf8');

  test('what people see is a relative link', async () => {
    await storage.project('p/out', await publish('a'), 1);
    expect(await shown()).toBe('a');
    expect(path.isAbsolute(await readlink(path.join(root, 'p/out')))).toBe(false);
  });

  test('many at once leave the highest, and a reader always finds a whole version', async () => {
    const versions = await Promise.all(Array.from({ length: 12 }, (_, i) => publish(`v${i}`)));
    await storage.project('p/out', versions[0]!, 0);
    const seen: string[] = [];
    let done = false;
    const reader = (async () => {
      while (!done) seen.push(await shown());
    })();
    await Promise.all(versions.map((version, fence) => storage.project('p/out', version, fence)));
    done = true;
    await reader;
    expect(await shown()).toBe('v11');
    expect(seen.every((text) => /^v\d+$/.test(text))).toBe(true);
    expect(await readdir(path.join(root, 'p'))).toEqual(['out']);
  });

  test('a file, folder or foreign link in the way is a conflict and stays as it is', async () => {
    const version = await publish('a');
    await mkdir(path.join(root, 'p'));
    const place = path.join(root, 'p/out');
    for (const make of [() => mkdir(place), () => writeFile(place, 'mine'), () => symlink('/etc', place)]) {
      await make();
      const before = await lstat(place);
      await expect(storage.project('p/out', version, 1)).rejects.toMatchObject({ code: 'conflict' });
      await expect(storage.project('p/out', null, 2)).rejects.toMatchObject({ code: 'conflict' });
      expect((await lstat(place)).ino).toBe(before.ino);
      await rm(place, { recursive: true });
    }
  });

  test('a parent that is a link out of the root is not followed', async () => {
    const version = await publish('a');
    const outside = await temporaryRoot();
    await symlink(outside, path.join(root, 'p'));
    await expect(storage.project('p/out', version, 1)).rejects.toMatchObject({ code: 'bad_request' });
    expect(await readdir(outside)).toEqual([]);
    await rm(outside, { recursive: true });
  });

  test.each([
    ['a link to a file', (folder: string) => symlink('/etc/hostname', path.join(folder, 'x')), 'symbolic link'],
    ['a link to a folder', (folder: string) => symlink('/etc', path.join(folder, 'x')), 'symbolic link'],
    ['a dangling link', (folder: string) => symlink('nowhere', path.join(folder, 'x')), 'symbolic link'],
    [
      'a named pipe',
      (folder: string) => promisify(execFile)('mkfifo', [path.join(folder, 'x')]),
      'neither a file nor a folder',
    ],
    [
      'a hard link to elsewhere',
      (folder: string) => link(path.join(root, 'elsewhere'), path.join(folder, 'x')),
      'hard link',
    ],
    ['a manifest of its own', (folder: string) => writeFile(path.join(folder, '_sluice.json'), '{}'), 'reserved name'],
    ['a folder .sluice', (folder: string) => mkdir(path.join(folder, '.sluice')), 'reserved name'],
    [
      'a name that is not UTF-8',
      (folder: string) => writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])]), ''),
      'not UTF-8',
    ],
  ])('an output with %s is refused', async (_what, put, message) => {
    await writeFile(path.join(root, 'elsewhere'), 'x');
    const staged = await stage();
    await put(staged.folders.PATH_OUT as string);
    await expect(storage.seal(staged, about)).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining(message),
    });
  });

  test('two names of one file inside the output are fine', async () => {
    const staged = await stage();
    const folder = staged.folders.PATH_OUT as string;
    await writeFile(path.join(folder, 'a'), 'x');
    await link(path.join(folder, 'a'), path.join(folder, 'b'));
    await chmod(path.join(folder, 'a'), 0o755);
    const [published] = await storage.seal(staged, about);
    expect((await stat(path.join(await storage.folder(published!.version), 'b'))).mode & 0o777).toBe(0o555);
  });

  test('a manifest that was tampered with is noticed', async () => {
    const version = await publish('a');
    const file = path.join(await storage.folder(version), '_sluice.json');
    const text = await readFile(file, 'utf8');
    await rm(file);
    await writeFile(file, text.replace('"bytes":1', '"bytes":2'));
    await expect(storage.manifest(version)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('torn evidence reads as none', async () => {
    const folder = path.join(root, '.sluice/evidence/1/t/0');
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, '1.json'), '{"attemptId":"5","runId');
    expect(await storage.readEvidence({ runId: '1', taskId: 't', mapIndex: 0, fence: 1 })).toBeNull();
  });

  test('the sweep removes quiet staging areas, and spares those of living attempts and those still written to', async () => {
    const [quiet, living, busy] = [await stage(), await stage(), await stage()];
    const old = new Date(Date.now() - 3_600_000);
    const age = async (folder: string): Promise<void> => {
      for (const name of await readdir(folder)) await age(path.join(folder, name));
      await utimes(folder, old, old);
    };
    await storage.discard(living);
    const kept = await storage.stage({ attemptId: '99', runId: '1', reads: [], writes: [] });
    for (const staged of [quiet, kept, busy]) await age(staged.root);
    await writeFile(path.join(busy.folders.PATH_OUT as string, 'growing'), 'x');
    await utimes(busy.folders.PATH_OUT as string, old, old);
    expect(await storage.sweep({ olderThanMs: 600_000, keep: new Set(['99']) })).toBe(1);
    await expect(stat(quiet.root)).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await stat(kept.root)).isDirectory()).toBe(true);
    expect((await stat(busy.root)).isDirectory()).toBe(true);
  });

  test('a root that is not absolute is refused', () => {
    expect(() => createFileStorage({ root: 'data' })).toThrow(expect.objectContaining({ code: 'invalid_config' }));
  });
});
