import { access } from 'node:fs/promises';
import path from 'node:path';
import { readArtefact, writeArtefact } from './artefacts.ts';
import type { EnvironmentStorage } from './environment-storage.ts';
import { eraseVersion } from './erase-version.ts';
import { readEvidence, writeEvidence } from './evidence.ts';
import { readManifest } from './manifest.ts';
import { project } from './project.ts';
import { removeTree, removeTrees } from './remove-tree.ts';
import { RootFolder } from './root-folder.ts';
import { seal } from './seal.ts';
import { pinnedFolder, stage } from './stage.ts';
import { folderUri, stageUris } from './stage-uris.ts';
import { sweepStaging } from './sweep-staging.ts';
import { versionFolder } from './version-folder.ts';
import { isWholeInFolder } from './whole-version.ts';

export interface FileStorageOptions {
  /** Absolute folder; created when first written to. */
  readonly root: string;
  /** False leaves out fsync, for tests and throw-away environments. Default true. */
  readonly durable?: boolean;
}

/** Environment storage in a folder of this machine (or one that several machines mount). */
export function createFileStorage({ root, durable = true }: FileStorageOptions): EnvironmentStorage {
  const at = new RootFolder(root, durable);
  return {
    stage: (request) =>
      request.uris === undefined
        ? stage(at, request, (read, pinned) => pinnedFolder(at, read, pinned))
        : stageUris(at, request),
    // Versions stay until they are erased.
    pinned: (read, version) => pinnedFolder(at, read, version),
    release: () => undefined,
    pinnedUri: async (read, version) => folderUri(await pinnedFolder(at, read, version)),
    seal: (staged, about) => seal(at, staged, about),
    discard: async (staged) => {
      staged.releaseElsewhere?.();
      // The sweep tries again.
      await removeTree(at.staging(path.basename(staged.root))).catch(() => undefined);
    },
    project: (location, version, fence) => project(at, location, version, fence),
    exists: (location) =>
      access(at.location(location)).then(
        () => true,
        () => false,
      ),
    folder: (version) => versionFolder(at, version),
    isWhole: (version, manifestHash) => isWholeInFolder(at, version, manifestHash),
    address: (version) => versionFolder(at, version),
    manifest: async (version) => readManifest(await versionFolder(at, version)),
    writeArtefact: (key, content) => writeArtefact(at, key, content),
    readArtefact: (key) => readArtefact(at, key),
    writeEvidence: (key, result) => writeEvidence(at, key, result),
    readEvidence: (key) => readEvidence(at, key),
    erase: (version) => eraseVersion(at, version),
    forgetRun: async (runId) => void (await removeTrees(at.ofRun(runId))),
    sweep: (options) => sweepStaging(at, options),
  };
}
