import { SluiceError } from '#core';

export interface S3Address {
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
}

/** `s3://bucket/some/prefix` in its parts; throws `invalid_config` for anything else. */
export function parseS3Url(url: string): S3Address {
  const [, bucket, prefix] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/?$/.exec(url) ?? [];
  if (bucket === undefined)
    throw new SluiceError('invalid_config', `"${url}" is not the address of a bucket.`, {
      hint: 'Write s3://bucket or s3://bucket/prefix; credentials never stand in it.',
    });
  return { bucket, prefix: prefix ?? '' };
}
