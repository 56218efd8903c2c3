import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Buckets, S3Refusal } from './s3-buckets.ts';
import { checkSignature } from './s3-signature.ts';

export interface S3ServerOptions {
  /** Buckets that exist; default one named `test`. */
  readonly buckets?: readonly string[];
  /** Keys in one page of a listing; default 1000. */
  readonly pageKeys?: number;
}

/** A request that a test asked about. Its effect is there; its answer waits for `release`. */
export interface HeldRequest {
  readonly reached: Promise<void>;
  release(): void;
}

/** How to reach the server as `S3Settings` say. */
export const S3_TEST_KEYS = { accessKeyId: 'AKTEST', secretAccessKey: 'secret-of-the-test-server' } as const;

/**
 * A server in memory that speaks as much of S3 as Sluice uses: objects, ranges, paged listings, multipart uploads. Strict
 * where S3 is: signatures, payload hashes, sizes of parts. (s3rver cannot page a listing on OpenSSL 3, and cannot be
 * stopped at a request.)
 */
export class S3TestServer {
  readonly buckets: S3Buckets;
  /** `PUT bucket/key`, in the order they came. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #held: { pattern: RegExp; reach: () => void; released: Promise<void> }[] = [];
  #failures: { pattern: RegExp; left: number; status: number | 'cut' }[] = [];

  private constructor(options: S3ServerOptions) {
    this.buckets = new S3Buckets(options.buckets ?? ['test'], options.pageKeys ?? 1000);
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(options: S3ServerOptions = {}): Promise<S3TestServer> {
    const server = new S3TestServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get settings() {
    return { endpoint: this.endpoint, region: 'us-east-1', credentials: () => S3_TEST_KEYS };
  }

  /** What a process of ours needs in its environment. */
  get variables(): Record<string, string> {
    return {
      SLUICE_S3_ENDPOINT: this.endpoint,
      AWS_ACCESS_KEY_ID: S3_TEST_KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: S3_TEST_KEYS.secretAccessKey,
    };
  }

  /** Holds the answer of the next request that matches `METHOD bucket/key`, after its effect. */
  hold(pattern: RegExp): HeldRequest {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const reached = new Promise<void>((reach) => this.#held.push({ pattern, reach, released }));
    return { reached, release };
  }

  /** Answers the next `times` matching requests with that status, or cuts the connection in the middle of the answer. */
  fail(pattern: RegExp, times: number, status: number | 'cut' = 503): void {
    this.#failures.push({ pattern, left: times, status });
  }

  /** Nothing fails any more. */
  mend(): void {
    this.#failures = [];
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', 'http://s3');
    const [, bucket = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const key = rest.join('/');
    const name = `${request.method} ${bucket}/${key === '' ? (url.searchParams.get('prefix') ?? '') : key}`;
    this.requests.push(name);
    const failure = this.#failures.find(({ pattern, left }) => left > 0 && pattern.test(name));
    try {
      if (failure !== undefined) failure.left -= 1;
      if (typeof failure?.status === 'number')
        throw new S3Refusal(failure.status, 'SlowDown', 'Reduce your request rate.');
      checkSignature(request, body, S3_TEST_KEYS);
      const answer = this.buckets.answer(request, { bucket, key, query: url.searchParams, body });
      const held = this.#held.findIndex(({ pattern }) => pattern.test(name));
      if (held !== -1) {
        const [{ reach, released } = { reach: () => undefined, released: undefined }] = this.#held.splice(held, 1);
        reach();
        await released;
      }
      response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
      if (failure?.status !== 'cut') return void response.end(request.method === 'HEAD' ? '' : answer.body);
      response.write(answer.body.subarray(0, answer.body.length >> 1));
      setImmediate(() => request.socket.destroy());
    } catch (error) {
      const { status, code, message } =
        error instanceof S3Refusal ? error : { status: 500, code: 'InternalError', message: String(error) };
      const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(request.method === 'HEAD' ? '' : text);
    }
  }
}

/** Hex. */
export function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
