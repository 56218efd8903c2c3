import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AttemptResult, ManifestAbout, OutputBinding, PublishedVersion, Staged, StageRequest } from '#core';
import type { EnvironmentStorage } from '#storage';

export interface StorageUnderTest {
  readonly storage: EnvironmentStorage;
  /** Version that people are shown at a location; null: nothing. */
  shown(location: string): Promise<string | null>;
  /** Removes a file of a version, as no part of Sluice would. */
  damage(version: string, file: string): Promise<void>;
  /** A file below a URI that a variable holds, as a program finds it that opens URIs itself. */
  readAt(uri: string, file: string): Promise<string>;
  writeAt(uri: string, file: string, text: string): Promise<void>;
  dispose(): Promise<void>;
}

const OUT: OutputBinding = { name: 'features', variable: 'PATH_FEATURES', location: 'flights/features/ds=2001-01-01' };
const ABOUT: ManifestAbout = {
  release: 'r'.repeat(64),
  pipeline: 'flights',
  runId: '7',
  taskId: 'build',
  mapIndex: 0,
  attempt: 1,
  fence: 1,
};

/** What every storage promises; each kind runs it with its own `make`. */
export function storageConformance(kind: string, make: () => Promise<StorageUnderTest>): void {
  describe(`${kind} storage`, () => {
    let under: StorageUnderTest;
    let storage: EnvironmentStorage;
    beforeEach(async () => {
      under = await make();
      storage = under.storage;
    });
    afterEach(() => under.dispose());

    const stage = (writes: readonly OutputBinding[] = [OUT]) =>
      storage.stage({ attemptId: '41', runId: '7', reads: [], writes });
    const put = async (staged: Staged, files: Record<string, string>, variable = OUT.variable) => {
      for (const [name, text] of Object.entries(files)) {
        const file = path.join(staged.folders[variable] as string, name);
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(file, text);
      }
    };
    const publish = async (files: Record<string, string>, about = ABOUT, output = OUT): Promise<PublishedVersion> => {
      const staged = await stage([output]);
      await put(staged, files, output.variable);
      const [published] = await storage.seal(staged, about);
      await storage.discard(staged);
      return published as PublishedVersion;
    };

    test('a version that is erased is gone, others of its location stay, and erasing it again is no error', async () => {
      const old = await publish({ 'a/b.csv': '1' });
      const kept = await publish({ 'a/b.csv': '2' }, { ...ABOUT, fence: 2 });
      await storage.erase(old.version);
      await storage.erase(old.version);
      await expect(storage.manifest(old.version)).rejects.toMatchObject({ code: 'not_found' });
      expect((await storage.manifest(kept.version)).files.map((file) => file.path)).toEqual(['a/b.csv']);
    });

    test('an output is staged in an empty folder and sealed into a version that lists its files', async () => {
      const staged = await stage();
      expect(await readdir(staged.folders.PATH_FEATURES as string)).toEqual([]);
      await put(staged, { 'a.csv': '1,2\n', 'deep/er/b.bin': '\u0000x' });
      const [published] = await storage.seal(staged, ABOUT);
      expect(published).toMatchObject({ name: 'features', location: OUT.location, files: 2, bytes: 6 });
      const folder = await storage.folder(published!.version);
      expect(await readFile(path.join(folder, 'deep/er/b.bin'), 'utf8')).toBe('\u0000x');
      const manifest = JSON.parse(await readFile(path.join(folder, '_sluice.json'), 'utf8')) as Record<string, unknown>;
      expect(manifest).toMatchObject({
        format: 1,
        pipeline: 'flights',
        run: '7',
        task: 'build',
        mapIndex: 0,
        attempt: 1,
        fence: 1,
        files: [
          { path: 'a.csv', bytes: 4, sha256: createHash('sha256').update('1,2\n').digest('hex') },
          { path: 'deep/er/b.bin', bytes: 2, sha256: createHash('sha256').update('\u0000x').digest('hex') },
        ],
      });
    });

    test('the same data has the same manifest hash, whoever wrote it and in whatever order', async () => {
      const one = await publish({ a: '1', b: '2' });
      const two = await publish({ b: '2', a: '1' }, { ...ABOUT, runId: '8', attempt: 3, fence: 9, release: 'other' });
      expect(two.manifestHash).toBe(one.manifestHash);
      expect(two.version).not.toBe(one.version);
    });

    test('any change of a name, a byte or the number of files changes the manifest hash', async () => {
      const variants = [{ a: '1' }, { a: '2' }, { b: '1' }, { a: '1', b: '' }, {}, { 'x/a': '1' }, { a: '1\n' }];
      const hashes = [];
      for (const files of variants) hashes.push((await publish(files as Record<string, string>)).manifestHash);
      expect(new Set(hashes).size).toBe(variants.length);
    });

    test('sealed files are read-only', async () => {
      const { version } = await publish({ 'a.csv': '1', 'run.sh': 'echo' });
      expect((await stat(path.join(await storage.folder(version), 'a.csv'))).mode & 0o222).toBe(0);
    });

    test('a bad file in one output publishes none of them', async () => {
      const second = { name: 'model', variable: 'PATH_MODEL', location: 'flights/model' };
      const staged = await stage([OUT, second]);
      await put(staged, { ok: '1' });
      await symlink('/etc/passwd', path.join(staged.folders.PATH_MODEL as string, 'stolen'));
      await expect(storage.seal(staged, ABOUT)).rejects.toMatchObject({
        code: 'bad_request',
        message: expect.stringContaining('"stolen" is a symbolic link'),
      });
    });

    test('one version is read as its own folder, the very one that was published', async () => {
      const { version, manifestHash, location } = await publish({ a: 'old' });
      await publish({ a: 'new' }, { ...ABOUT, fence: 2 });
      const staged = await storage.stage({
        ...{ attemptId: '42', runId: '7', writes: [] },
        reads: [
          { name: 'features', variable: 'PATH_FEATURES', versions: [{ link: null, location, version, manifestHash }] },
        ],
      });
      expect(await readFile(path.join(staged.folders.PATH_FEATURES as string, 'a'), 'utf8')).toBe('old');
    });

    test('a version of another environment is read where it lies, and checked like one of its own', async () => {
      const other = await make();
      try {
        const { version, manifestHash, location } = await publish({ a: 'theirs' });
        const read = (hash: string) =>
          other.storage.stage({
            ...{ attemptId: '42', runId: '7', writes: [] },
            reads: [
              {
                ...{ name: 'f', variable: 'PATH_F' },
                versions: [{ link: 'ds', location, version, manifestHash: hash, environment: 'prod' }],
              },
            ],
            elsewhere: (environment) => {
              expect(environment).toBe('prod');
              return storage;
            },
          });
        const staged = await read(manifestHash);
        expect(await readFile(path.join(staged.folders.PATH_F as string, 'ds', 'a'), 'utf8')).toBe('theirs');
        await other.storage.discard(staged);
        await expect(read('0'.repeat(64))).rejects.toMatchObject({ code: 'conflict' });
      } finally {
        await other.dispose();
      }
    });

    describe('by URI', () => {
      const open = (more: Partial<StageRequest>) =>
        storage.stage({ attemptId: '43', runId: '7', reads: [], writes: [], uris: { fence: 1 }, ...more });
      const read = (...versions: PublishedVersion[]): StageRequest['reads'] => [
        { name: 'f', variable: 'PATH_F', versions: versions.map((version) => ({ ...version, link: version.version })) },
      ];

      test('what a task writes becomes a version like any other, and is read where it lies', async () => {
        const files = { 'a.csv': '1,2\n', 'deep/er/b.bin': '\u0000x', empty: '' };
        const staged = await open({ writes: [OUT] });
        const uri = staged.folders.PATH_FEATURES as string;
        expect(uri).toMatch(/^(file|s3):\/\/.*[^/]\/$/);
        for (const [name, text] of Object.entries(files)) await under.writeAt(uri, name, text);
        const [published] = await storage.seal(staged, ABOUT);
        await storage.discard(staged);
        const { version, ...same } = await publish(files);
        expect(published).toEqual({ ...same, version: expect.stringMatching(`^${OUT.location}/v1-`) });
        expect(published!.version).not.toBe(version);
        expect(await storage.isWhole(published!.version, published!.manifestHash)).toBe(true);
        expect(await readFile(path.join(await storage.folder(published!.version), 'a.csv'), 'utf8')).toBe('1,2\n');
        const { folders } = await open({ reads: read(published!) });
        expect(await under.readAt(folders.PATH_F as string, 'deep/er/b.bin')).toBe('\u0000x');
      });

      test('several versions are one URI a line, in their order, and none are no line', async () => {
        const two = [await publish({ a: '1' }), await publish({ a: '2' })];
        const reads = [...read(...two), { name: 'none', variable: 'PATH_NONE', versions: [] }];
        const { folders } = await open({ reads });
        const uris = (folders.PATH_F as string).split('\n');
        expect(await Promise.all(uris.map((uri) => under.readAt(uri, 'a')))).toEqual(['1', '2']);
        expect(folders.PATH_NONE).toBe('');
      });

      test('a version of another environment is read where it lies', async () => {
        const other = await make();
        try {
          const theirs = await publish({ a: 'theirs' });
          const versions = [{ ...theirs, link: null, environment: 'prod' }];
          const reads = [{ name: 'f', variable: 'PATH_F', versions }];
          const request = { attemptId: '42', runId: '7', reads, writes: [], uris: { fence: 1 } };
          const { folders } = await other.storage.stage({ ...request, elsewhere: () => storage });
          expect(await under.readAt(folders.PATH_F as string, 'a')).toBe('theirs');
        } finally {
          await other.dispose();
        }
      });

      test('a version that is gone or is not the pinned one, and a location that leaves the root, are refused', async () => {
        const published = await publish({ a: '1' });
        const reading = (more: object) => open({ reads: read({ ...published, ...more }) });
        await expect(reading({ version: `${OUT.location}/v1-0000` })).rejects.toMatchObject({ code: 'not_found' });
        await expect(reading({ manifestHash: '0'.repeat(64) })).rejects.toMatchObject({ code: 'conflict' });
        for (const location of ['../x', '.sluice/versions', 'a/_sluice.json'])
          await expect(
            open({ writes: [{ ...OUT, location }] }).then((staged) => storage.seal(staged, ABOUT)),
          ).rejects.toMatchObject({ code: 'bad_request' });
      });

      test('a reserved name in one output publishes none of them', async () => {
        const staged = await open({
          writes: [OUT, { name: 'model', variable: 'PATH_MODEL', location: 'flights/model' }],
        });
        await under.writeAt(staged.folders.PATH_FEATURES as string, 'ok', '1');
        await under.writeAt(staged.folders.PATH_MODEL as string, '_sluice.json', '{}');
        await expect(storage.seal(staged, ABOUT)).rejects.toMatchObject({
          ...{ code: 'bad_request', message: 'Output "model": "_sluice.json" has a reserved name.' },
        });
        await storage.discard(staged);
      });
    });

    test('several versions are read as a folder that holds one entry for each', async () => {
      const versions = [];
      for (const ds of ['2001-01-01', '2001-01-02']) {
        const published = await publish({ a: ds }, ABOUT, { ...OUT, location: `flights/raw/ds=${ds}` });
        versions.push({ ...published, link: `ds=${ds}` });
      }
      const reads = [
        { name: 'raw', variable: 'PATH_RAW', versions },
        { name: 'none', variable: 'PATH_NONE', versions: [] },
      ];
      const staged = await storage.stage({ attemptId: '42', runId: '7', reads, writes: [] });
      expect((await readdir(staged.folders.PATH_RAW as string)).sort()).toEqual(['ds=2001-01-01', 'ds=2001-01-02']);
      expect(await readFile(path.join(staged.folders.PATH_RAW as string, 'ds=2001-01-02', 'a'), 'utf8')).toBe(
        '2001-01-02',
      );
      expect(await readdir(staged.folders.PATH_NONE as string)).toEqual([]);
      await storage.discard(staged);
      expect(await readFile(path.join(await storage.folder(versions[0]!.version), 'a'), 'utf8')).toBe('2001-01-01');
    });

    test('a location shows the version with the highest fence, whatever the order of arrival, an older version too', async () => {
      const [a, b] = [await publish({ a: '1' }), await publish({ a: '2' }, { ...ABOUT, fence: 2 })];
      const at = `${OUT.location}/shown`;
      await storage.project(at, b.version, 20);
      await storage.project(at, a.version, 10);
      expect(await under.shown(at)).toBe(b.version);
      await storage.project(at, a.version, 21);
      await storage.project(at, b.version, 20);
      expect(await under.shown(at)).toBe(a.version);
    });

    test('a location that shows nothing any more says so, and a publication with a higher fence is shown again', async () => {
      const { version } = await publish({ a: '1' });
      const at = `${OUT.location}/shown`;
      await storage.project(at, null, 1); // never shown anything
      await storage.project(at, version, 2);
      await storage.project(at, null, 3);
      await storage.project(at, null, 3);
      await storage.project(at, version, 2);
      expect(await under.shown(at)).toBeNull();
      expect((await storage.manifest(version)).files).toHaveLength(1);
      await storage.project(at, version, 4);
      expect(await under.shown(at)).toBe(version);
    });

    test('an input whose version is gone, or is not the pinned one, is refused before the task starts', async () => {
      const { version, manifestHash, location } = await publish({ a: '1' });
      const read = (pinned: { version: string; manifestHash: string }) =>
        storage.stage({
          ...{ attemptId: '42', runId: '7', writes: [] },
          reads: [{ name: 'f', variable: 'PATH_F', versions: [{ link: null, location, ...pinned }] }],
        });
      await expect(read({ version: `${location}/v1-0000`, manifestHash })).rejects.toMatchObject({ code: 'not_found' });
      await expect(read({ version, manifestHash: '0'.repeat(64) })).rejects.toMatchObject({ code: 'conflict' });
    });

    test('a version, variable, link name or location that leaves the root is refused', async () => {
      for (const evil of ['..', '../..', '/etc', 'a/../../b', 'a\0b', '.sluice/versions']) {
        await expect(stage([{ ...OUT, location: evil }]).then((s) => storage.seal(s, ABOUT))).rejects.toMatchObject({
          code: 'bad_request',
        });
        if (evil === '.sluice/versions') continue;
        await expect(storage.folder(evil)).rejects.toMatchObject({ code: 'bad_request' });
        await expect(stage([{ ...OUT, variable: evil }])).rejects.toMatchObject({ code: 'bad_request' });
        await expect(storage.stage({ attemptId: evil, runId: '7', reads: [], writes: [] })).rejects.toMatchObject({
          code: 'bad_request',
        });
        await expect(storage.readEvidence({ runId: evil, taskId: 't', mapIndex: 0, fence: 1 })).rejects.toMatchObject({
          code: 'bad_request',
        });
      }
    });

    test('a version is whole until a file of it is gone, and only under its own hash', async () => {
      const { version, manifestHash } = await publish({ 'a/b.csv': '1', 'c.csv': '22' });
      expect(await storage.isWhole(version, manifestHash)).toBe(true);
      expect(await storage.isWhole(version, '0'.repeat(64))).toBe(false);
      expect(await storage.isWhole(`${OUT.location}/v1-0000`, manifestHash)).toBe(false);
      await under.damage(version, 'a/b.csv');
      expect(await storage.isWhole(version, manifestHash)).toBe(false);
    });

    test('evidence is read back as written, and is null where there is none', async () => {
      const key = { runId: '7', taskId: 'build', mapIndex: 3, fence: 2 };
      expect(await storage.readEvidence(key)).toBeNull();
      const result = aResult();
      await storage.writeEvidence(key, result);
      await storage.writeEvidence(key, result);
      expect(await storage.readEvidence(key)).toEqual(result);
      expect(await storage.readEvidence({ ...key, fence: 3 })).toBeNull();
    });

    test('a run that is forgotten has no evidence any more, others keep theirs, and forgetting it again is no error', async () => {
      const key = { runId: '71', taskId: 'build', mapIndex: 0, fence: 1 };
      const other = { ...key, runId: '7' };
      await storage.writeEvidence(key, { ...aResult(), runId: '71', fence: 1 });
      await storage.writeEvidence(other, { ...aResult(), runId: '7', fence: 1 });
      for (let times = 0; times < 2; times++) await storage.forgetRun('71');
      expect(await storage.readEvidence(key)).toBeNull();
      expect(await storage.readEvidence(other)).toMatchObject({ runId: '7' });
      await expect(storage.forgetRun('../7')).rejects.toMatchObject({ code: 'bad_request' });
    });

    test('what an attempt left for people is read back as written, stays its own, and cannot leave its place', async () => {
      const key = { runId: '7', taskId: 'build', mapIndex: 3, number: 2, name: 'notebook.ipynb' };
      expect(await storage.readArtefact(key)).toBeNull();
      await storage.writeArtefact(key, Buffer.from('old'));
      await storage.writeArtefact(key, Buffer.from('new'));
      expect((await storage.readArtefact(key))?.toString()).toBe('new');
      expect(await storage.readArtefact({ ...key, number: 3 })).toBeNull();
      await expect(storage.writeArtefact({ ...key, name: '../x' }, Buffer.from('x'))).rejects.toMatchObject({
        code: 'bad_request',
      });
    });

    test('discarding twice, or what was never staged, is no error', async () => {
      const staged = await stage();
      await put(staged, { a: '1' });
      await storage.discard(staged);
      await storage.discard(staged);
      await expect(stat(staged.root)).rejects.toMatchObject({ code: 'ENOENT' });
      await rm(staged.root, { recursive: true, force: true });
    });
  });
}

function aResult(): AttemptResult {
  return {
    attemptId: '41',
    runId: '7',
    fence: 2,
    outcome: { kind: 'failed', exitCode: 3, message: 'exit code 3' },
    startedAt: 1,
    finishedAt: 2,
    outputs: { rows: 1200, nested: { ü: [null, 1.5] } },
    metrics: [{ name: 'auc', value: 0.7, step: null, ts: 2 }],
    summary: null,
    versions: [],
    logLines: 4,
  };
}
