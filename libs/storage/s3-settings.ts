/** How buckets are reached; one set per process. Without credentials the SDK looks where it always does (profile, instance role, …). */
export interface S3Settings {
  /** Null: Amazon's. Buckets of another endpoint are part of the path, not of the host name. */
  readonly endpoint: string | null;
  readonly region: string;
  /** Asked when the client is made, so that nothing keeps them longer than needed. */
  readonly credentials:
    (() => { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }) | null;
}
