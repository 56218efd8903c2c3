import { SluiceError } from '#core';
import type { SluiceClient } from './client.ts';
import type { Release } from './release-shapes.ts';

/** A commit's files, and how to read one. */
export interface ReleaseContents {
  readonly commit: string | null;
  readonly author: string | null;
  readonly message: string | null;
  readonly files: readonly {
    readonly path: string;
    readonly executable: boolean;
    readonly bytes: number;
    readonly sha256: string;
  }[];
  read(file: ReleaseContents['files'][number]): Promise<Uint8Array>;
}

export interface UploadOptions {
  readonly branch: string | null;
  readonly buildUrl: string | null;
  /** Told before contents are sent: how many, and of how many. */
  readonly onUpload?: (sent: number, all: number) => void;
}

const LANES = 8;
const MOST_TRIES = 2;

/**
 * Makes a release of a commit's files on a server; only contents that the server lacks are sent. The same again returns
 * the same release. Throws what the server refuses it for.
 */
export async function uploadRelease(
  client: SluiceClient,
  contents: ReleaseContents,
  options: UploadOptions,
): Promise<Release> {
  const { commit, author, message, files } = contents;
  if (commit === null) throw new SluiceError('internal', 'only a commit can be uploaded');
  for (let tries = 1; ; tries++) {
    await sendMissing(client, contents, options);
    try {
      const { branch, buildUrl } = options;
      return await client.createRelease({ commit, branch, author, message, buildUrl, files: [...files] });
    } catch (error) {
      // Contents that were there may have been swept since; then they are missing now, and are sent.
      if (!(error instanceof SluiceError && error.code === 'conflict') || tries === MOST_TRIES) throw error;
    }
  }
}

async function sendMissing(client: SluiceClient, { files, read }: ReleaseContents, { onUpload }: UploadOptions) {
  const contents = new Map(files.map((file) => [file.sha256, file]));
  const asked = [...contents.values()].map(({ sha256, bytes }) => ({ sha256, bytes }));
  const missing = await client.missingBlobs(asked);
  if (missing.length > 0) onUpload?.(missing.length, contents.size);
  const rest = missing.values();
  const lane = async (): Promise<void> => {
    for (const sha256 of rest) {
      const file = contents.get(sha256);
      if (file !== undefined) await client.putBlob(sha256, new Uint8Array(await read(file)));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
