import type { S3Settings } from '#storage';
import { Secret } from './secret.ts';

/** How buckets are reached, and what of them is kept here. */
export interface S3Config {
  /** SLUICE_S3_ENDPOINT: another server that speaks S3 (MinIO, Ceph, R2, …); null: Amazon's. */
  readonly endpoint: string | null;
  /** AWS_REGION or AWS_DEFAULT_REGION; `us-east-1` unless set. */
  readonly region: string;
  /** AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; null: whatever else the SDK finds (profile, role of the machine). */
  readonly keys: { readonly id: string; readonly secret: Secret; readonly session: Secret | null } | null;
  /** SLUICE_S3_CACHE_MIB, in bytes: copies of versions on this machine, of each environment; 10 GiB unless set. */
  readonly cacheBytes: number;
}

/** The part of the configuration's reader that this needs. */
interface Reader {
  text(name: string): string | null;
  integer(name: string, least: number, most: number): number | null;
  url(name: string, protocols: readonly string[]): string | null;
}

const MIB = 1024 ** 2;

export function readS3Config(read: Reader): S3Config {
  const id = read.text('AWS_ACCESS_KEY_ID');
  const secret = read.text('AWS_SECRET_ACCESS_KEY');
  const session = read.text('AWS_SESSION_TOKEN');
  return {
    endpoint: read.url('SLUICE_S3_ENDPOINT', ['http:', 'https:'])?.replace(/\/+$/, '') ?? null,
    region: read.text('AWS_REGION') ?? read.text('AWS_DEFAULT_REGION') ?? 'us-east-1',
    // Half a pair is not ours to judge: who uses no bucket may have anything in the environment.
    keys:
      id === null || secret === null
        ? null
        : { id, secret: new Secret(secret), session: session === null ? null : new Secret(session) },
    cacheBytes: (read.integer('SLUICE_S3_CACHE_MIB', 1, 999_999_999) ?? 10 * 1024) * MIB,
  };
}

export function s3SettingsOf({ endpoint, region, keys }: S3Config): S3Settings {
  return {
    endpoint,
    region,
    credentials:
      keys === null
        ? null
        : () => ({
            accessKeyId: keys.id,
            secretAccessKey: keys.secret.reveal(),
            ...(keys.session === null ? {} : { sessionToken: keys.session.reveal() }),
          }),
  };
}
