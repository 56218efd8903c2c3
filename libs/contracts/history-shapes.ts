import { z } from 'zod';
import { attemptState, interval, runState, taskState } from './shapes.ts';

// Runs past the retention of their environment. Every instant is ISO 8601 in UTC; absent values are null.

const instant = z.string();
const id = z.string();

export const pruneRequest = z.strictObject({
  dryRun: z.boolean().default(false),
  /** Left out: all that have a retention. */
  environment: z.string().min(1).max(200).optional(),
});
export const pruneReport = z.object({
  dryRun: z.boolean(),
  /** False: time was up before all of them were moved; the rest follows by itself within the hour, or with the next request. */
  isComplete: z.boolean(),
  environments: z.array(
    z.object({
      environment: z.string(),
      retentionDays: z.number(),
      /** Runs that ended before. */
      before: instant,
      runs: z.number(),
      taskRuns: z.number(),
      /** Of a dry run: those that stay, and why. */
      kept: z.array(z.object({ reason: z.string(), runs: z.number() })),
    }),
  ),
});
export type PruneReport = z.infer<typeof pruneReport>;

export const archivedRun = z.object({
  id,
  environment: z.string(),
  pipeline: z.string(),
  release: id,
  trigger: z.string(),
  shadow: z.boolean(),
  state: runState,
  interval: interval.nullable(),
  createdAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant,
  archivedAt: instant,
  /** File in the storage of the environment that holds it. */
  archive: z.string(),
});
export type ArchivedRun = z.infer<typeof archivedRun>;

const ofTaskRun = { taskId: z.string(), mapIndex: z.number() };

/** What an archive holds of a run: everything but its logs and its data. */
export const archivedRunDetail = archivedRun.extend({
  releaseAlias: z.string(),
  commit: z.string().nullable(),
  why: z.string(),
  reason: z.string().nullable(),
  params: z.record(z.string(), z.unknown()),
  originRun: id.nullable(),
  counts: z.record(z.string(), z.number()),
  taskRuns: z.array(
    z.object({
      ...ofTaskRun,
      mapKey: z.string(),
      state: taskState,
      tries: z.number(),
      startedAt: instant.nullable(),
      finishedAt: instant.nullable(),
      reason: z.string().nullable(),
      summary: z.string().nullable(),
      outputs: z.record(z.string(), z.unknown()).nullable(),
      originRun: id.nullable(),
      cachedFrom: id.nullable(),
    }),
  ),
  attempts: z.array(
    z.object({
      ...ofTaskRun,
      number: z.number(),
      state: attemptState,
      worker: z.string(),
      startedAt: instant.nullable(),
      finishedAt: instant.nullable(),
      exitCode: z.number().nullable(),
      message: z.string().nullable(),
    }),
  ),
  metrics: z.array(
    z.object({
      ...ofTaskRun,
      number: z.number(),
      name: z.string(),
      value: z.number(),
      step: z.number().nullable(),
      at: instant,
    }),
  ),
  checks: z.array(
    z.object({ ...ofTaskRun, number: z.number(), name: z.string(), state: z.string(), detail: z.string() }),
  ),
  versions: z.array(
    z.object({
      ...ofTaskRun,
      path: z.string(),
      location: z.string(),
      version: z.string(),
      files: z.number(),
      bytes: z.number(),
    }),
  ),
});
export type ArchivedRunDetail = z.infer<typeof archivedRunDetail>;
