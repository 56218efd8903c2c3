import { z } from 'zod';
import type { AttemptResult } from '#core';

/*
 * What workers and the API say to each other. A worker proves itself in every request with the key that it got when it
 * signed in, and may speak only of attempts that are its own.
 */

const id = z.string().regex(/^[1-9]\d{0,17}$/, 'expected an id');
const count = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const instant = z.number().min(0).max(8.64e15);
const text = z.string().max(100_000);

/** `*`, `prod.*`, `*.gpu` or `prod.gpu`: environment and pool of the queues that a worker serves. */
export const queuePattern = z
  .string()
  .max(200)
  .regex(/^(\*|[A-Za-z0-9_/-]+)(\.(\*|[A-Za-z0-9_-]+))?$/, 'expected environment.pool, either of them `*` for all');

const proof = { worker: z.string().regex(/^worker-[0-9a-f-]{36}$/), key: z.string().regex(/^[A-Za-z0-9_-]{43}$/) };

export const signInRequest = z.strictObject({
  host: z.string().min(1).max(255),
  pid: z.int().min(1),
  capacity: z.int().min(1).max(1024),
  /** None: it takes only attempts that it claims by their ids. */
  queues: z.array(queuePattern).max(100),
});
export const signedIn = z.object({
  worker: z.string(),
  /** The only answer that holds it. */
  key: z.string(),
  /** How often it has to say that it lives. */
  beatMs: z.number(),
});

export const signOutRequest = z.strictObject(proof);

export const beatRequest = z.strictObject({
  ...proof,
  /** Attempts that it could begin now. */
  free: z.int().min(0).max(1024),
});

/** `ClaimedAttempt`; its assignment is for the runner, which knows what it is. */
const claimedAttempt = z.object({
  assignment: z.looseObject({ attemptId: z.string() }),
  secrets: z.record(z.string(), z.union([z.object({ value: z.string() }), z.object({ problem: z.string() })])),
  storages: z.record(z.string(), z.string()),
  dataFolders: z.array(z.string()),
});

export const beatAnswer = z.object({
  /** The queues that its patterns stand for, as environments are now. */
  queues: z.array(z.object({ environment: z.string(), pool: z.string() })),
  /** Its attempts; what it executes besides them it must end. */
  held: z.array(
    z.object({ attemptId: z.string(), runId: z.string(), fence: z.number(), cancel: z.string().nullable() }),
  ),
  /** Attempts that have waited too long for Redis to tell of them: they are its own now. */
  taken: z.array(claimedAttempt),
});

export const claimRequest = z.strictObject({ ...proof, attempts: z.array(id).min(1).max(100) });
export const claimAnswer = z.object({ taken: z.array(claimedAttempt) });

const outcome = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('success') }),
  z.strictObject({ kind: z.literal('skipped'), message: text }),
  z.strictObject({ kind: z.literal('failed'), exitCode: z.int().nullable(), message: text }),
  z.strictObject({ kind: z.literal('timed_out'), message: text }),
  z.strictObject({ kind: z.literal('cancelled'), message: text }),
  z.strictObject({ kind: z.literal('deferred'), afterMs: z.number().min(0), message: text }),
  z.strictObject({ kind: z.literal('lost'), message: text }),
]);
const name = z.string().max(200);
export const attemptResult: z.ZodType<AttemptResult> = z.strictObject({
  attemptId: id,
  runId: id,
  fence: count,
  outcome,
  startedAt: instant,
  finishedAt: instant,
  outputs: z.record(z.string().max(200), z.unknown()),
  metrics: z.array(z.strictObject({ name, value: z.number(), step: z.int().nullable(), ts: instant })).max(100_000),
  summary: z.string().max(2_000_000).nullable(),
  versions: z
    .array(
      z.strictObject({
        name,
        location: z.string().max(2000),
        version: z.string().max(2000),
        manifestHash: z.string().regex(/^[0-9a-f]{64}$/),
        files: count,
        bytes: z.number().min(0),
      }),
    )
    .max(1000),
  logLines: count,
  checks: z
    .array(
      z.strictObject({
        name,
        path: name.nullable(),
        state: z.enum(['passed', 'warned', 'quarantined', 'failed']),
        rows: z.number().min(0).nullable(),
        bad: z.number().min(0).nullable(),
        detail: text,
        sample: z.array(z.record(z.string(), z.unknown())).max(1000),
      }),
    )
    .max(1000)
    .exactOptional(),
});

export const reportRequest = z.strictObject({
  ...proof,
  results: z.array(attemptResult).max(100),
  /** Hints for screens. */
  progress: z
    .array(z.strictObject({ attemptId: id, done: z.number(), total: z.number(), label: z.string().max(1000) }))
    .max(1000),
});
/** The attempts whose results count. The others were not this worker's to tell of, any more or ever. */
export const reportAnswer = z.object({ kept: z.array(z.string()) });

/** A record or a content of the release store. */
export const releaseObjectKey = z
  .string()
  .regex(/^(releases\/[0-9a-f]{64}|blobs\/[0-9a-f]{2}\/[0-9a-f]{64})$/, 'expected a key of the release store');
