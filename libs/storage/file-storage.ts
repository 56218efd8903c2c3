import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Storage } from '#core';
import { readEvidence, writeEvidence } from './evidence.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { project } from './project.ts';
import { RootFolder } from './root-folder.ts';
import { seal } from './seal.ts';
import { stage } from './stage.ts';
import { sweepStaging, type SweepOptions } from './sweep-staging.ts';
import { versionFolder } from './version-folder.ts';

export interface FileStorageOptions {
  /** Absolute folder; created when first written to. */
  readonly root: string;
  /** False leaves out fsync, for tests and throw-away environments. Default true. */
  readonly durable?: boolean;
}

export interface FileStorage extends Storage {
  /** What a version holds; throws `not_found` when it is gone. */
  manifest(version: string): Promise<Manifest>;
  /** Removes staging areas that nothing has written to for that long; returns how many. */
  sweep(options: SweepOptions): Promise<number>;
}

/** Environment storage in a folder of this machine (or one that several machines mount). */
export function createFileStorage({ root, durable = true }: FileStorageOptions): FileStorage {
  const at = new RootFolder(root, durable);
  return {
    stage: (request) => stage(at, request),
    seal: (staged, about) => seal(at, staged, about),
    discard: (staged) =>
      rm(at.staging(path.basename(staged.root)), { recursive: true, force: true }).catch(() => undefined), // the sweep tries again
    project: (location, version, fence) => project(at, location, version, fence),
    folder: (version) => versionFolder(at, version),
    manifest: async (version) => readManifest(await versionFolder(at, version)),
    writeEvidence: (key, result) => writeEvidence(at, key, result),
    readEvidence: (key) => readEvidence(at, key),
    sweep: (options) => sweepStaging(at, options),
  };
}
