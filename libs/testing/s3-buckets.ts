import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What S3 says no with. */
export class S3Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export interface S3Request {
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

interface Stored {
  readonly content: Buffer;
  readonly metadata: Record<string, string>;
  readonly changedAt: Date;
}

interface OpenUpload {
  readonly key: string;
  readonly metadata: Record<string, string>;
  readonly parts: Map<number, Buffer>;
}

const LEAST_PART = 5 * 1024 * 1024;
const MOST_KEY_BYTES = 1024;

/** The state of the test server, and what each request does to it. */
export class S3Buckets {
  readonly #buckets: Map<string, Map<string, Stored>>;
  readonly #uploads = new Map<string, OpenUpload>();
  readonly #pageKeys: number;

  constructor(names: readonly string[], pageKeys: number) {
    this.#buckets = new Map(names.map((name) => [name, new Map()]));
    this.#pageKeys = pageKeys;
  }

  /** Keys below a prefix, in order. */
  keys(bucket: string, prefix = ''): string[] {
    return [...this.#bucket(bucket).keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  content(bucket: string, key: string): Buffer | undefined {
    return this.#bucket(bucket).get(key)?.content;
  }

  put(bucket: string, key: string, content: string | Buffer, changedAt = new Date()): void {
    this.#bucket(bucket).set(key, { content: Buffer.from(content), metadata: {}, changedAt });
  }

  delete(bucket: string, key: string): void {
    this.#bucket(bucket).delete(key);
  }

  /** Uploads in parts that were begun and neither completed nor given up. */
  openUploads(): number {
    return this.#uploads.size;
  }

  answer({ method, headers }: IncomingMessage, request: S3Request): S3Answer {
    const { bucket, key, query, body } = request;
    const objects = this.#bucket(bucket);
    if (Buffer.byteLength(key) > MOST_KEY_BYTES) throw new S3Refusal(400, 'KeyTooLongError', 'Your key is too long');
    if (query.has('uploads') || query.has('uploadId')) return this.#multipart(method ?? '', headers, request, objects);
    if (key === '' && method === 'GET') return this.#list(objects, bucket, query);
    if (method === 'PUT') {
      objects.set(key, { content: body, metadata: metadataOf(headers), changedAt: new Date() });
      return plain(200, { etag: etagOf(body) });
    }
    if (method === 'DELETE') {
      objects.delete(key);
      return plain(204);
    }
    const stored = objects.get(key);
    if (stored === undefined) throw new S3Refusal(404, 'NoSuchKey', 'The specified key does not exist.');
    return read(stored, headers.range);
  }

  #bucket(name: string): Map<string, Stored> {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw new S3Refusal(404, 'NoSuchBucket', 'The specified bucket does not exist');
    return bucket;
  }

  #list(objects: Map<string, Stored>, bucket: string, query: URLSearchParams): S3Answer {
    const after = Buffer.from(query.get('continuation-token') ?? '', 'base64').toString();
    const found = this.keys(bucket, query.get('prefix') ?? '').filter((key) => after === '' || key > after);
    const page = found.slice(0, Math.min(this.#pageKeys, Number(query.get('max-keys') ?? 1000)));
    const more = page.length < found.length;
    const entries = page.map((key) => {
      const { content, changedAt } = objects.get(key) as Stored;
      return `<Contents><Key>${escapeXml(key)}</Key><LastModified>${changedAt.toISOString()}</LastModified><Size>${content.length}</Size></Contents>`;
    });
    const next = more
      ? `<NextContinuationToken>${Buffer.from(page.at(-1) as string).toString('base64')}</NextContinuationToken>`
      : '';
    return xml(
      `<ListBucketResult><IsTruncated>${more}</IsTruncated><KeyCount>${page.length}</KeyCount>${next}${entries.join('')}</ListBucketResult>`,
    );
  }

  #multipart(
    method: string,
    headers: IncomingMessage['headers'],
    { key, query, body }: S3Request,
    objects: Map<string, Stored>,
  ): S3Answer {
    if (query.has('uploads')) {
      const id = randomBytes(8).toString('hex');
      this.#uploads.set(id, { key, metadata: metadataOf(headers), parts: new Map() });
      return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
    }
    const id = query.get('uploadId') ?? '';
    const upload = this.#uploads.get(id);
    if (upload === undefined || upload.key !== key)
      throw new S3Refusal(404, 'NoSuchUpload', 'The specified upload does not exist.');
    if (method === 'PUT') {
      upload.parts.set(Number(query.get('partNumber')), body);
      return plain(200, { etag: etagOf(body) });
    }
    this.#uploads.delete(id);
    if (method === 'DELETE') return plain(204);
    const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map((match) => Number(match[1]));
    const parts = named.map((number) => upload.parts.get(number) ?? Buffer.alloc(0));
    if (parts.slice(0, -1).some((part) => part.length < LEAST_PART))
      throw new S3Refusal(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
    objects.set(key, { content: Buffer.concat(parts), metadata: upload.metadata, changedAt: new Date() });
    return xml(`<CompleteMultipartUploadResult><Key>${escapeXml(key)}</Key></CompleteMultipartUploadResult>`);
  }
}

function read({ content, metadata, changedAt }: Stored, range: string | undefined): S3Answer {
  const about = {
    ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
    'last-modified': changedAt.toUTCString(),
    etag: etagOf(content),
  };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (from === undefined) return { status: 200, headers: about, body: content };
  if (Number(from) >= content.length)
    throw new S3Refusal(416, 'InvalidRange', 'The requested range is not satisfiable');
  const body = content.subarray(Number(from), to ? Number(to) + 1 : undefined);
  const headers = { ...about, 'content-range': `bytes ${from}-${Number(from) + body.length - 1}/${content.length}` };
  return { status: 206, headers, body };
}

function metadataOf(headers: IncomingMessage['headers']): Record<string, string> {
  const ours = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return Object.fromEntries(ours.map(([name, value]) => [name.slice('x-amz-meta-'.length), String(value)]));
}

function etagOf(content: Buffer): string {
  return `"${createHash('md5').update(content).digest('hex')}"`;
}

function plain(status: number, headers: Record<string, string> = {}): S3Answer {
  return { status, headers, body: Buffer.alloc(0) };
}

function xml(text: string): S3Answer {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: Buffer.from(text) };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
