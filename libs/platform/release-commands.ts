import type { RecordedTests } from '#core';
import type { ReleaseStore, UploadedRelease } from '#release';
import { recordRelease, recordTests, type Db } from '#store';
import { readRelease } from './reads/release-reads.ts';

/** What the API does to releases. Each returns once it is durable; see `ReleaseStore` for what is refused. */
export function createReleaseCommands({ db, releases }: { readonly db: Db; readonly releases: ReleaseStore }) {
  return {
    /** SHA-256 of those contents that must be sent before a release can be created. */
    missingBlobs: async (blobs: readonly { sha256: string; bytes: number }[]): Promise<string[]> => [
      ...(await releases.missing(blobs)),
    ],
    putBlob: (sha256: string, content: Buffer): Promise<void> => releases.putContent(sha256, content),
    /** Stores and records it; the digest. The same again changes nothing. */
    createRelease: async (
      { buildUrl, ...uploaded }: UploadedRelease & { readonly buildUrl: string | null },
      actor: string,
    ): Promise<string> => {
      const release = await releases.putUploaded(uploaded);
      await recordRelease(db, release, buildUrl, actor);
      return release.digest;
    },
    /** What its tests came to. */
    recordTests: async (ref: string, tests: Omit<RecordedTests, 'actor' | 'at'>, actor: string): Promise<void> => {
      const { digest } = await readRelease({ db }, ref, null);
      await recordTests(db, digest, { ...tests, actor });
    },
  };
}
