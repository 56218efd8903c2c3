import { SluiceError } from '#core';
import type { Release } from '#contracts';
import type { SluiceClient } from '#contracts/client';
import { inLanes, type Snapshot } from '#release';

export interface UploadOptions {
  readonly branch: string | null;
  readonly buildUrl: string | null;
  /** Told before contents are sent: how many, and of how many. */
  readonly onUpload?: (sent: number, all: number) => void;
}

const LANES = 8;
const MOST_TRIES = 2;

/**
 * Makes a release of a commit's snapshot on the server; only contents that the server lacks are sent. The same again
 * returns the same release. Throws what the server refuses it for.
 */
export async function uploadRelease(
  client: SluiceClient,
  snapshot: Snapshot,
  options: UploadOptions,
): Promise<Release> {
  const { commit, author, message, files } = snapshot;
  if (commit === null) throw new SluiceError('internal', 'only a commit can be uploaded');
  for (let tries = 1; ; tries++) {
    await sendMissing(client, snapshot, options);
    try {
      const { branch, buildUrl } = options;
      return await client.createRelease({ commit, branch, author, message, buildUrl, files: [...files] });
    } catch (error) {
      // Contents that were there may have been swept since; then they are missing now, and are sent.
      if (!(error instanceof SluiceError && error.code === 'conflict') || tries === MOST_TRIES) throw error;
    }
  }
}

async function sendMissing(client: SluiceClient, { files, read }: Snapshot, { onUpload }: UploadOptions) {
  const contents = new Map(files.map((file) => [file.sha256, file]));
  const asked = [...contents.values()].map(({ sha256, bytes }) => ({ sha256, bytes }));
  const missing = await client.missingBlobs(asked);
  if (missing.length > 0) onUpload?.(missing.length, contents.size);
  await inLanes(LANES, missing, async (sha256) => {
    const file = contents.get(sha256);
    if (file !== undefined) await client.putBlob(sha256, new Uint8Array(await read(file)));
  });
}
