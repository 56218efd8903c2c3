import { afterAll, beforeAll } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { S3TestServer } from '../testing/s3-server.ts';
import { storageConformance } from '../testing/storage-conformance.ts';
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
