import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { objectStoreConformance } from '../testing/object-store-conformance.ts';
import { FolderObjects } from './folder-objects.ts';

objectStoreConformance('a folder', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sluice-objects-'));
  return { objects: new FolderObjects(folder), dispose: () => rm(folder, { recursive: true, force: true }) };
});
