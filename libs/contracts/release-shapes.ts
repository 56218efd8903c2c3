import { z } from 'zod';
import { problem } from './shapes.ts';

// Every instant is ISO 8601 in UTC; absent values are null.

export const release = z.object({
  digest: z.string(),
  /** Two words made from the digest. */
  alias: z.string(),
  commit: z.string().nullable(),
  branch: z.string().nullable(),
  author: z.string().nullable(),
  /** First line of the commit's message. */
  message: z.string().nullable(),
  /** True: of a working tree, with files that are not committed. */
  dirty: z.boolean(),
  createdAt: z.string(),
  /** Of the CI build that made it. */
  buildUrl: z.string().nullable(),
  /** Where it runs now. */
  environments: z.array(z.string()),
});
export type Release = z.infer<typeof release>;

const releaseFile = z.object({ path: z.string(), executable: z.boolean(), bytes: z.number(), sha256: z.string() });

/** What `sluice test` came to on the files of a release. */
export const releaseTests = z.object({
  passed: z.number(),
  failed: z.number(),
  seconds: z.number(),
  /** SHA-256 of the JUnit report; the same tests with the same result have the same. */
  junit: z.string(),
  /** Of the CI build that ran them. */
  buildUrl: z.string().nullable(),
  actor: z.string(),
  at: z.string(),
});
export type ReleaseTests = z.infer<typeof releaseTests>;

export const releaseDetail = release.extend({
  pipelines: z.array(z.object({ name: z.string(), file: z.string(), tasks: z.number() })),
  files: z.array(releaseFile),
  /** Recorded last; null: none were. */
  tests: releaseTests.nullable(),
  /** Of a working tree's files; a release of a commit has none. */
  problems: z.array(problem),
});
export type ReleaseDetail = z.infer<typeof releaseDetail>;

const change = z.enum(['added', 'removed', 'changed']);
/** A side is absent when the field was not there. */
const fieldChange = z.object({ field: z.string(), before: z.unknown().optional(), after: z.unknown().optional() });
export const pipelineDiff = z.object({
  pipeline: z.string(),
  change,
  fields: z.array(fieldChange),
  tasks: z.array(z.object({ task: z.string(), change, fields: z.array(fieldChange) })),
});

/** What one release has that another has not: pipelines by meaning, files by content. */
export const releaseDiff = z.object({
  from: release,
  to: release,
  pipelines: z.array(pipelineDiff),
  files: z.array(z.object({ path: z.string(), change, before: releaseFile.nullable(), after: releaseFile.nullable() })),
});
export type ReleaseDiff = z.infer<typeof releaseDiff>;

// ---- requests

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256: 64 hexadecimal digits in lower case');
const bytes = z.int().min(0);
const text = (longest: number) => z.string().max(longest);
const MOST_FILES = 50_000;

const buildUrl = z
  .url({ protocol: /^https?$/, error: 'expected an address with http: or https:' })
  .max(2000)
  .nullable()
  .default(null);

export const missingBlobsRequest = z.strictObject({
  blobs: z.array(z.strictObject({ sha256, bytes })).max(MOST_FILES),
});
export const releaseRequest = z.strictObject({
  commit: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'expected the whole id of a commit'),
  branch: text(500).nullable().default(null),
  author: text(1000).nullable().default(null),
  message: text(1000).nullable().default(null),
  buildUrl,
  files: z
    .array(z.strictObject({ path: text(4096), executable: z.boolean(), bytes, sha256 }))
    .min(1)
    .max(MOST_FILES),
});
const tests = z.int().min(0).max(1_000_000);
export const releaseTestsRequest = z.strictObject({
  passed: tests,
  failed: tests,
  seconds: z.number().min(0).max(1e9),
  junit: sha256,
  buildUrl,
});
