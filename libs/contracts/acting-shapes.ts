import { z } from 'zod';
import { MARKED_STATES, MOST_MAP_INDEX } from '#core';
import { decisionRequest } from './promotion-shapes.ts';
import { interval, run, taskRunDetail } from './shapes.ts';

// What people do to runs. Every instant is ISO 8601 in UTC; absent values are null.

const reason = z.string().trim().min(1, 'expected a reason').max(2000);
const as = z.enum(MARKED_STATES);
const map = z.int().min(0).max(MOST_MAP_INDEX).optional();

/** `map`: one item of a fan-out; absent: all that the task asks now. */
export const answerRequest = decisionRequest.extend({ map });
/** The first task run that was answered, and all of them. */
export const answerResult = taskRunDetail.extend({
  answered: z.array(z.object({ mapIndex: z.number(), mapKey: z.string() })),
});
export type AnswerResult = z.infer<typeof answerResult>;

export const markRequest = z.strictObject({
  /** What it counts as from now on. What has not ended ends so; what has ended keeps its state. */
  as,
  /** Shown beside it for ever. */
  reason,
  /** Absent: the run itself. */
  task: z.string().max(128).optional(),
  /** One task run of a fan-out that has begun; absent: all of the task. */
  map,
});

/** How many runs one request may act on. */
export const MOST_RUNS = 500;

export const bulkRequest = z.strictObject({
  /** Runs of other environments are refused one by one. */
  environment: z.string(),
  runs: z
    .array(z.string().regex(/^[1-9]\d{0,17}$/, 'expected the id of a run'))
    .min(1)
    .max(MOST_RUNS),
  action: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('cancel') }),
    z.strictObject({
      kind: z.literal('rerun'),
      mode: z.enum(['failed', 'all']).default('failed'),
      release: z.enum(['same', 'current']).default('same'),
      noCache: z.boolean().default(false),
    }),
    z.strictObject({ kind: z.literal('mark'), as, reason, task: z.string().max(128).optional() }),
  ]),
});

export const bulkOutcome = z.object({
  runId: z.string(),
  /** Null: there is no such run in the environment. */
  pipeline: z.string().nullable(),
  interval: interval.nullable(),
  outcome: z.enum(['done', 'refused']),
  /** Why it was refused. */
  message: z.string().nullable(),
  /** The run that was made. */
  created: z.string().nullable(),
});
export type BulkOutcome = z.infer<typeof bulkOutcome>;

export const rerunResult = run.extend({
  /** Tasks that were taken over although the release of the new run has them otherwise. */
  outdated: z.array(z.object({ taskId: z.string(), why: z.string() })).optional(),
});
export type RerunResult = z.infer<typeof rerunResult>;
