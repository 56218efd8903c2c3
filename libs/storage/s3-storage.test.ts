import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { S3TestServer } from '../testing/s3-server.ts';
import { storageConformance } from '../testing/storage-conformance.ts';
import { createFileStorage } from './file-storage.ts';
import { S3Objects } from './s3-objects.ts';
import { createS3Storage } from './s3-storage.ts';

let server: S3TestServer;
beforeAll(async () => {
  server = await S3TestServer.start();
});
afterAll(() => server.stop());
let roots = 0;
const problem = (error: unknown): never => {
  throw error;
};

storageConformance('s3', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sluice-s3-'));
  const objects = new S3Objects(`s3://test/root-${++roots}`, server.settings);
  const shown = async (location: string) => {
    const text = (await objects.get(`${location}/_sluice.json`))?.toString('utf8');
    return text === undefined ? null : (JSON.parse(text) as { version: string }).version;
  };
  return {
    shown,
    storage: createS3Storage({ objects, folder, cacheBytes: 1024 ** 3, problem }),
    damage: (version, file) => objects.remove(`.sluice/versions/${version}/${file}`),
    // With keys of its own, as a task has them.
    readAt: async (uri, file) => (await new S3Objects(uri, server.settings).get(file))?.toString('utf8') ?? 'nothing',
    writeAt: (uri, file, text) => new S3Objects(uri, server.settings).put(file, text),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
});

test.each(['s3', 'file'])(
  'a version of another environment stays here while an attempt on %s storage reads it',
  async (kind) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'sluice-s3-'));
    const onS3 = (name: string) => {
      const objects = new S3Objects(`s3://test/root-${++roots}`, server.settings);
      return createS3Storage({ objects, folder: path.join(folder, name), cacheBytes: 0, problem });
    };
    const prod = onS3('prod');
    const dev = kind === 's3' ? onS3('dev') : createFileStorage({ root: path.join(folder, 'dev') });
    const out = { name: 'f', variable: 'PATH_F', location: 'p/f' };
    const written = await prod.stage({ attemptId: '1', runId: '1', reads: [], writes: [out] });
    await writeFile(path.join(written.folders.PATH_F!, 'a'), 'theirs');
    const about = { release: 'r', pipeline: 'p', runId: '1', taskId: 't', mapIndex: 0, attempt: 1, fence: 1 };
    const [version] = await prod.seal(written, about);
    await prod.discard(written);

    const pinned = { ...version!, link: null, environment: 'prod' };
    const gone = { ...pinned, version: 'p/f/v1-0000' };
    const stage = (...versions: (typeof pinned)[]) => {
      const reads = versions.map((one, index) => ({ name: 'f', variable: `PATH_${index}`, versions: [one] }));
      return dev.stage({ attemptId: '2', runId: '2', reads, writes: [], elsewhere: () => prod });
    };
    const sweep = () => prod.sweep({ olderThanMs: 0, now: Date.now() + 3_600_000 });
    const staged = await stage(pinned);
    const copy = path.join(staged.folders.PATH_0!, 'a');
    await expect(stage(pinned, gone)).rejects.toMatchObject({ code: 'not_found' });
    await sweep();
    expect((await stat(copy)).isFile()).toBe(true);
    await dev.discard(staged);
    await sweep();
    await expect(stat(copy)).rejects.toMatchObject({ code: 'ENOENT' });
    await rm(folder, { recursive: true, force: true });
  },
);
