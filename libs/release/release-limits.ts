export interface SizeLimits {
  readonly files: number;
  readonly fileBytes: number;
  readonly totalBytes: number;
}

/** What a release may hold, wherever it comes from. */
export const RELEASE_LIMITS: SizeLimits = {
  files: 50_000,
  fileBytes: 64 * 1024 * 1024,
  totalBytes: 1024 * 1024 * 1024,
};
