import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type ObjectStore, relativeSegments, SluiceError, type StoredObject } from '#core';
import { inLanes } from './in-lanes.ts';
import { lazyS3Client, type S3Client, s3Failure, saysMissing } from './s3-client.ts';
import type { S3Settings } from './s3-settings.ts';
import { parseS3Url } from './s3-url.ts';

/** Files up to this size go in one request; larger ones in parts of at least it. */
const PART_BYTES = 8 * 1024 * 1024;
const MOST_PARTS = 10_000;
const CHUNK = 1024 * 1024;
const PARTS_AT_ONCE = 4;
const LANES = 16;
/** S3's own limit. */
const MOST_KEY_BYTES = 1024;
/** A download that breaks off is begun again this often. */
const DOWNLOAD_TRIES = 3;

/** What a file must hold. */
export interface ExpectedFile {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** Objects below `s3://bucket/prefix`. The SDK is loaded with the first request. */
export class S3Objects implements ObjectStore {
  /** `s3://bucket/prefix`, without a slash at its end. */
  readonly name: string;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #open: () => Promise<S3Client>;

  constructor(url: string, settings: S3Settings) {
    const { bucket, prefix } = parseS3Url(url);
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.name = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
    this.#open = lazyS3Client(settings);
  }

  /** Checks a key that came from elsewhere, without asking anybody. Throws `bad_request`. */
  check(key: string): void {
    this.#at(key);
  }

  async get(key: string): Promise<Buffer | null> {
    return this.getRange(key, 0, null);
  }

  /** At most `most` bytes (null: all) from `offset` on; empty when there is nothing (more), null when there is no such object. */
  async getRange(key: string, offset: number, most: number | null): Promise<Buffer | null> {
    const range = { Range: `bytes=${offset}-${most === null ? '' : offset + most - 1}` };
    return this.#ask('reading', key, async ({ sdk, client }, at) => {
      for (let tries = 1; ; tries++) {
        try {
          const { Body } = await client.send(
            new sdk.GetObjectCommand({ ...at, ...(offset === 0 && most === null ? {} : range) }),
          );
          return Body === undefined ? Buffer.alloc(0) : Buffer.from(await Body.transformToByteArray());
        } catch (error) {
          if (saysMissing(error)) return null;
          if ((error as Error).name === 'InvalidRange') return Buffer.alloc(0);
          if (tries === DOWNLOAD_TRIES || !brokeOff(error)) throw error;
        }
      }
    });
  }

  async put(key: string, content: Buffer | string): Promise<void> {
    // Bytes, because a text's length is not its size.
    const Body = typeof content === 'string' ? Buffer.from(content) : content;
    await this.#ask('writing', key, ({ sdk, client }, at) => client.send(new sdk.PutObjectCommand({ ...at, Body })));
  }

  sizes(keys: readonly string[]): Promise<readonly (number | null)[]> {
    return inLanes(LANES, keys, (key) =>
      this.#ask('looking at', key, async ({ sdk, client }, at) => {
        try {
          return (await client.send(new sdk.HeadObjectCommand(at))).ContentLength ?? 0;
        } catch (error) {
          if (saysMissing(error)) return null;
          throw error;
        }
      }),
    );
  }

  async list(folder: string): Promise<readonly StoredObject[]> {
    const found: StoredObject[] = [];
    await this.#ask('listing', folder, async ({ sdk, client }, { Bucket, Key }) => {
      for (let token: string | undefined; ;) {
        const page = await client.send(
          new sdk.ListObjectsV2Command({ Bucket, Prefix: `${Key}/`, ...(token ? { ContinuationToken: token } : {}) }),
        );
        for (const { Key: key = '', Size, LastModified } of page.Contents ?? [])
          found.push({
            key: key.slice(this.#prefix.length),
            bytes: Size ?? 0,
            changedAt: LastModified?.getTime() ?? Date.now(),
          });
        token = page.NextContinuationToken;
        if (token === undefined) return;
      }
    });
    return found;
  }

  /** True when there is an object of this name, or one in a folder of this name. */
  async hasBelow(key: string): Promise<boolean> {
    const [size = null] = await this.sizes([key]);
    if (size !== null) return true;
    return this.#ask('listing', key, async ({ sdk, client }, { Bucket, Key }) => {
      const page = await client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix: `${Key}/`, MaxKeys: 1 }));
      return (page.Contents ?? []).length > 0;
    });
  }

  async remove(key: string): Promise<void> {
    await this.#ask('removing', key, ({ sdk, client }, at) => client.send(new sdk.DeleteObjectCommand(at)));
  }

  /** Uploads a file, in parts when it is large. Throws `conflict` when it does not hold what it should. */
  async putFile(key: string, file: string, expected: ExpectedFile, executable: boolean): Promise<void> {
    const about = executable ? { Metadata: { executable: 'yes' } } : {};
    await this.#ask('writing', key, async ({ sdk, client }, at) => {
      if (expected.bytes <= PART_BYTES) {
        const Body = await readFile(file);
        if (!holds(Body, expected)) throw changed(file);
        await client.send(new sdk.PutObjectCommand({ ...at, ...about, Body }));
        return;
      }
      const { Upload } = await import('@aws-sdk/lib-storage');
      const hash = createHash('sha256');
      const upload = new Upload({
        client,
        params: { ...at, ...about, Body: Readable.from(readHashed(file, hash), { objectMode: false }) },
        partSize: Math.max(PART_BYTES, Math.ceil(expected.bytes / MOST_PARTS)),
        queueSize: PARTS_AT_ONCE,
      });
      await upload.done();
      if (hash.digest('hex') !== expected.sha256) throw changed(file);
    });
  }

  /**
   * Downloads into a new file; says whether it was uploaded as an executable one. Throws `not_found` when there is no
   * such object, `conflict` when it does not hold what it should.
   */
  async getFile(key: string, file: string, expected: ExpectedFile): Promise<{ executable: boolean }> {
    return this.#read(key, async (body, metadata) => {
      const found = await writeHashed(file, body);
      if (found.bytes !== expected.bytes || found.sha256 !== expected.sha256)
        throw new SluiceError('conflict', `${this.name}/${key} does not hold what its manifest says.`, {
          hint: 'It was damaged or replaced after it was published. Run the task that writes it again.',
          details: { expected: expected.sha256, found: found.sha256 },
        });
      return { executable: metadata.executable === 'yes' };
    });
  }

  /** What an object holds; it is read to its end, and kept nowhere. Throws `not_found` when there is none. */
  hash(key: string): Promise<ExpectedFile> {
    return this.#read(key, (body) => hashed(body, () => Promise.resolve()));
  }

  /** Removes everything below a folder, whatever names others gave to it. */
  async clear(folder: string): Promise<void> {
    await this.#ask('removing', folder, async ({ sdk, client }, { Bucket }) => {
      // Keys as the bucket lists them: `a//b` and `a/` are no names of ours, and must go all the same.
      await inLanes(LANES, await this.list(folder), ({ key }) =>
        client.send(new sdk.DeleteObjectCommand({ Bucket, Key: this.#prefix + key })),
      );
    });
  }

  /** Hands an object's content to `take`, again from its beginning when the connection breaks off. */
  async #read<T>(key: string, take: (body: Readable, metadata: Record<string, string>) => Promise<T>): Promise<T> {
    return this.#ask('reading', key, async ({ sdk, client }, at) => {
      for (let tries = 1; ; tries++) {
        try {
          const { Body, Metadata = {} } = await client.send(new sdk.GetObjectCommand(at));
          return await take(Body as Readable, Metadata);
        } catch (error) {
          if (saysMissing(error))
            throw new SluiceError('not_found', `${this.name}/${key} is gone.`, {
              hint: 'Run the task that writes it again.',
            });
          if (tries === DOWNLOAD_TRIES || !brokeOff(error)) throw error;
        }
      }
    });
  }

  async #ask<T>(
    doing: string,
    key: string,
    request: (s3: S3Client, at: { Bucket: string; Key: string }) => Promise<T>,
  ): Promise<T> {
    const at = { Bucket: this.#bucket, Key: this.#at(key) };
    try {
      return await request(await this.#open(), at);
    } catch (error) {
      throw error instanceof SluiceError ? error : s3Failure(`${doing} ${this.name}/${key}`, error);
    }
  }

  #at(key: string): string {
    const full = this.#prefix + relativeSegments(key).join('/');
    const bytes = Buffer.byteLength(full);
    if (bytes <= MOST_KEY_BYTES) return full;
    throw new SluiceError(
      'bad_request',
      `The key of ${this.name}/${key} has ${bytes} bytes; S3 takes ${MOST_KEY_BYTES}.`,
      {
        hint: 'Use shorter names for the path or its files.',
      },
    );
  }
}

/** The connection ended in the middle of an answer, which the SDK does not try again. */
function brokeOff(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || message === 'aborted';
}

function holds(content: Buffer, { bytes, sha256 }: ExpectedFile): boolean {
  return content.length === bytes && createHash('sha256').update(content).digest('hex') === sha256;
}

function changed(file: string): SluiceError {
  return new SluiceError('conflict', `${file} changed while it was uploaded.`, {
    hint: 'Wait for background processes before the task ends (`wait` in a shell).',
  });
}

async function* readHashed(file: string, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    yield chunk;
  }
}

async function writeHashed(file: string, body: Readable): Promise<ExpectedFile> {
  const handle = await open(file, 'w', 0o600);
  try {
    return await hashed(body, (chunk) => handle.writeFile(chunk));
  } finally {
    await handle.close();
  }
}

async function hashed(body: Readable, take: (chunk: Buffer) => Promise<void>): Promise<ExpectedFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    await take(chunk);
  }
  return { bytes, sha256: hash.digest('hex') };
}
