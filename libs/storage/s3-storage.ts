import path from 'node:path';
import { type EvidenceKey, relativeSegment } from '#core';
import { artefactKey } from './artefacts.ts';
import type { EnvironmentStorage } from './environment-storage.ts';
import { eraseOnS3 } from './erase-version.ts';
import { evidenceOf } from './evidence.ts';
import { removeTree, removeTrees } from './remove-tree.ts';
import { KINDS_OF_A_RUN, OURS, RootFolder } from './root-folder.ts';
import type { S3Objects } from './s3-objects.ts';
import { addressOnS3, pointOnS3 } from './s3-pointer.ts';
import { type S3Root, sealOnS3 } from './s3-seal.ts';
import { sealWritten } from './s3-seal-written.ts';
import { dropWritten, pinnedUriOnS3, stageUrisOnS3, sweepWritten } from './s3-uris.ts';
import { checkPinned, stage, stagingFolder } from './stage.ts';
import { sweepStaging } from './sweep-staging.ts';
import { VersionCache } from './version-cache.ts';
import { isWholeOnS3 } from './whole-version.ts';

export interface S3StorageOptions {
  readonly objects: S3Objects;
  /** Absolute folder of this machine for staging and copies of versions, of this root alone; made at need. */
  readonly folder: string;
  /** Copies of versions past this are removed, the longest unused first. */
  readonly cacheBytes: number;
  /** Something failed that the next sweep tries again. */
  readonly problem: (error: unknown) => void;
}

/** Environment storage in a bucket. Tasks see folders all the same: inputs are copied here first, outputs uploaded after. */
export function createS3Storage({ objects, folder, cacheBytes, problem }: S3StorageOptions): EnvironmentStorage {
  const at = new RootFolder(folder, false);
  const cache = new VersionCache({ at, objects, maxBytes: cacheBytes });
  const root: S3Root = { at, objects, cache };
  const discard = async (stagingRoot: string): Promise<void> => {
    cache.release(stagingRoot);
    // The sweep tries again.
    await removeTree(at.staging(path.basename(stagingRoot))).catch(() => undefined);
  };
  return {
    stage: async (request) => {
      if (request.uris !== undefined) return stageUrisOnS3(root, request, request.uris.fence);
      const holder = stagingFolder(at, request.attemptId);
      try {
        return await stage(
          at,
          request,
          async (read, pinned) => {
            const check = (manifest: { hash: string }): void => checkPinned(manifest, read, pinned);
            return (await cache.open(pinned.version, { holder, check })).folder;
          },
          holder,
        );
      } catch (error) {
        await discard(holder);
        throw error;
      }
    },
    pinned: async (read, pinned, holder) =>
      (await cache.open(pinned.version, { holder, check: (manifest) => checkPinned(manifest, read, pinned) })).folder,
    release: (holder) => cache.release(holder),
    pinnedUri: (read, pinned) => pinnedUriOnS3(root, read, pinned),
    seal: (staged, about) =>
      staged.versions === undefined
        ? sealOnS3(root, staged, about)
        : sealWritten(objects, staged, staged.versions, about),
    discard: async (staged) => {
      staged.releaseElsewhere?.();
      await dropWritten(objects, staged).catch(problem);
      await discard(staged.root);
    },
    project: (location, version, fence) => pointOnS3(root, location, version, fence),
    exists: (location) => objects.hasBelow(location),
    folder: async (version) => (await cache.open(version)).folder,
    isWhole: (version, manifestHash) => isWholeOnS3(objects, cache, version, manifestHash),
    address: (version) => addressOnS3(root, version),
    manifest: (version) => cache.manifest(version),
    writeArtefact: async (key, content) => objects.put(artefactKey(key), content),
    readArtefact: async (key) => objects.get(artefactKey(key)),
    writeEvidence: (key, result) => objects.put(evidenceKey(key), `${JSON.stringify(result)}\n`),
    readEvidence: async (key) => {
      const text = await objects.get(evidenceKey(key));
      return text === null ? null : evidenceOf(text.toString('utf8'), key);
    },
    erase: (version) => eraseOnS3(objects, version),
    forgetRun: async (runId) => {
      for (const kind of KINDS_OF_A_RUN) await objects.clear(`${OURS}/${kind}/${relativeSegment(runId)}`);
      await removeTrees(at.ofRun(runId));
    },
    sweep: async (options) => {
      // What cannot be removed in one place must not keep the others from being swept.
      await cache.sweep(options.now).catch(problem);
      await sweepWritten(objects, options).catch(problem);
      return sweepStaging(at, options);
    },
  };
}

function evidenceKey({ runId, taskId, mapIndex, fence }: EvidenceKey): string {
  const names = [runId, taskId, mapIndex].map((name) => relativeSegment(String(name)));
  return [OURS, 'evidence', ...names, `${Number(fence)}.json`].join('/');
}
