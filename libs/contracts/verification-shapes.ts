import { z } from 'zod';
import { VERDICTS } from '#core';
import { pipelineDiff } from './release-shapes.ts';
import { taskState } from './shapes.ts';

// Runs compared with themselves, and with each other. Every instant is ISO 8601 in UTC; absent values are null.

const id = z.string();
const fileContent = z.object({ path: z.string(), bytes: z.number(), sha256: z.string() });
const fileDrift = z.object({
  taskId: z.string(),
  mapIndex: z.number(),
  mapKey: z.string(),
  /** Name of the path, and the file below it. */
  output: z.string(),
  file: z.string(),
  change: z.enum(['added', 'removed', 'changed']),
  before: fileContent.nullable(),
  after: fileContent.nullable(),
});

/** A run that was, or is being, executed again. */
export const verification = z.object({
  id,
  /** The run that is verified, and the one that executes it again; null: nothing was started. */
  runId: id,
  shadowRunId: id.nullable(),
  environment: z.string(),
  pipeline: z.string(),
  actor: z.string(),
  /** Chosen by chance, as the environment file asks. */
  sampled: z.boolean(),
  requestedAt: z.string(),
  finishedAt: z.string().nullable(),
  /** Null, with everything below, while it goes on. */
  verdict: z.enum(VERDICTS).nullable(),
  /** One sentence. */
  detail: z.string().nullable(),
  /** Files compared, and how many of them are not the same. */
  files: z.number(),
  drifted: z.number(),
  /** In the order of the pipeline. */
  tasks: z.array(
    z.object({
      taskId: z.string(),
      mapIndex: z.number(),
      mapKey: z.string(),
      verdict: z.enum(['same', 'close', 'drifted', 'not_comparable']),
      reason: z.string().nullable(),
      files: z.number(),
      drifted: z.number(),
    }),
  ),
  /** In the order of tasks; at most 200. */
  drifts: z.array(fileDrift),
  /** Interpreters, and the platform, that are not those of then; null: not known. */
  tools: z
    .array(z.object({ tool: z.string(), before: z.string().nullable(), after: z.string().nullable() }))
    .nullable(),
});
export type VerificationShape = z.infer<typeof verification>;
export const latestVerification = z.object({ verification: verification.nullable() });

const fieldChange = z.object({ field: z.string(), before: z.unknown().optional(), after: z.unknown().optional() });
const inputVersion = z.object({ location: z.string(), version: z.string(), manifestHash: z.string() });
const timing = z.object({ state: taskState, tries: z.number(), durationMs: z.number().nullable() }).nullable();

/** What the second run differs in from the first. */
export const runDiff = z.object({
  from: id,
  to: id,
  facts: z.array(fieldChange),
  params: z.array(fieldChange),
  pipelines: z.array(pipelineDiff),
  inputs: z.array(
    z.object({
      taskId: z.string(),
      name: z.string(),
      part: z.string(),
      before: inputVersion.nullable(),
      after: inputVersion.nullable(),
    }),
  ),
  outputs: z.array(fileDrift),
  /** `task.path` of which nothing can be said, because files of a side are gone. */
  gone: z.array(z.string()),
  metrics: z.array(
    z.object({
      taskId: z.string(),
      mapKey: z.string(),
      name: z.string(),
      before: z.number().nullable(),
      after: z.number().nullable(),
    }),
  ),
  timing: z.array(z.object({ taskId: z.string(), mapKey: z.string(), before: timing, after: timing })),
  /** Timing apart. */
  same: z.boolean(),
  /** False: lists were cut off at 1000. */
  complete: z.boolean(),
});
export type RunDiffShape = z.infer<typeof runDiff>;

/** What garbage collection looks at and leaves. */
export const gcRequest = z.strictObject({
  dryRun: z.boolean().default(false),
  /** Versions of each location, and releases, that stay however old they are. */
  keep: z.int().min(1).max(10_000).default(3),
  /** Nothing younger is removed, and runs younger than this stay verifiable. At least an hour. */
  olderThanMs: z.int().min(3_600_000).max(3_155_760_000_000).default(604_800_000),
});
const collected = z.object({ count: z.number(), bytes: z.number() });
export const gcReport = z.object({
  dryRun: z.boolean(),
  /** Of data, by environment; only those that have some. */
  versions: z.array(collected.extend({ environment: z.string(), removed: z.array(z.string()) })),
  releases: collected.extend({
    removed: z.array(z.object({ digest: z.string(), alias: z.string(), createdAt: z.string() })),
  }),
  /** Of git repositories that no environment follows any more, on the machine that was asked. */
  mirrors: collected,
  /** What could not be removed and is tried again by the next collection. */
  problems: z.array(z.string()),
});
export type GcReport = z.infer<typeof gcReport>;
