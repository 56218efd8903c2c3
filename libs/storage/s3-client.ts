import type * as Sdk from '@aws-sdk/client-s3';
import { SluiceError } from '#core';
import type { S3Settings } from './s3-settings.ts';

/** More requests than this wait for a connection. */
const CONNECTIONS = 64;
const CONNECT_MS = 5_000;
/** Without a byte from the other side. */
const SILENCE_MS = 60_000;

/** The SDK, and a client for these settings. */
export interface S3Client {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
}

/** Loads the SDK (a fifth of a second) with the first call: who keeps everything in folders never pays for it. */
export function lazyS3Client(settings: S3Settings): () => Promise<S3Client> {
  let opening: Promise<S3Client> | null = null;
  return () => (opening ??= open(settings));
}

async function open({ endpoint, region, credentials }: S3Settings): Promise<S3Client> {
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    region,
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === null ? {} : { credentials: credentials() }),
    // The newer default checksums are not understood by every server that speaks S3; ours are in the manifests.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 4,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      httpAgent: { maxSockets: CONNECTIONS },
      httpsAgent: { maxSockets: CONNECTIONS },
    },
  });
  return { sdk, client };
}

/** True for an answer that says that there is no such object; a bucket that is missing is another matter. */
export function saysMissing(error: unknown): boolean {
  const { name } = error as Error;
  return name === 'NoSuchKey' || name === 'NotFound';
}

/**
 * What to tell about a failed request. The SDK's own error goes no further: it holds the request with its signature and
 * key id. `what`: `reading s3://bucket/key`.
 */
export function s3Failure(what: string, error: unknown): SluiceError {
  const { name = 'Error', message = '', $metadata } = error as Partial<Sdk.S3ServiceException>;
  const status = $metadata?.httpStatusCode;
  const reason = status === undefined ? message : `${name}${message === '' || name === message ? '' : `: ${message}`}`;
  return new SluiceError('unavailable', `S3 failed at ${what}: ${reason || name}.`, {
    hint: hintFor(name, status),
    details: { error: name, ...(status === undefined ? {} : { status }) },
  });
}

function hintFor(name: string, status: number | undefined): string {
  if (name === 'NoSuchBucket') return 'Create the bucket, or correct `storage:` (or SLUICE_RELEASES).';
  if (name === 'CredentialsProviderError')
    return "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the server's environment.";
  if (status === 401 || status === 403)
    return "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION of the server, and the bucket's policy.";
  if (status === 301 || status === 307) return 'The bucket is in another region: set AWS_REGION.';
  if (status === undefined) return 'Check SLUICE_S3_ENDPOINT and the network; what failed is tried again.';
  return 'What failed is tried again.';
}
