import { z } from 'zod';
import { BACKFILL_ORDERS, BACKFILL_STATES, REPROCESS } from '#core';
import { interval, runState } from './shapes.ts';

// Backfills: plans that the scheduler works off. Every instant is ISO 8601 in UTC; absent values are null.

const id = z.string();
const instant = z.string();

export const backfill = z.object({
  id,
  environment: z.string(),
  pipeline: z.string(),
  /** Null: each run takes the release that the environment points at when the run is created. */
  release: id.nullable(),
  rangeStart: instant,
  rangeEnd: instant,
  reprocess: z.enum(REPROCESS),
  order: z.enum(BACKFILL_ORDERS),
  /** Runs of it that may be queued or running at once. */
  maxActive: z.number(),
  state: z.enum(BACKFILL_STATES),
  /** Why it is in this state, unless that goes without saying. */
  reason: z.string().nullable(),
  actor: z.string(),
  createdAt: instant,
  finishedAt: instant.nullable(),
  /** Intervals of the range that need no run. */
  leftOut: z.number(),
  /** Intervals whose run is still to be created. */
  pending: z.number(),
  /** Its runs by state. */
  runs: z.record(z.string(), z.number()),
});
export type BackfillShape = z.infer<typeof backfill>;

export const backfillDetail = backfill.extend({
  /** In the order in which their runs come. */
  intervals: z.array(
    z.object({
      interval,
      state: z.enum(['pending', 'created', 'left_out']),
      /** Why it is in or out. */
      reason: z.string(),
      runId: id.nullable(),
      runState: runState.nullable(),
    }),
  ),
});
export type BackfillDetail = z.infer<typeof backfillDetail>;

export const backfillPlan = z.object({
  /** Null: it was only planned, or there is nothing to do. */
  backfill: backfill.nullable(),
  /** Why the range holds no interval at all; absent: it holds some. */
  nothing: z.string().optional(),
  /** In the order of time; `runId`: the newest run of the interval so far. */
  intervals: z.array(
    z.object({ interval, action: z.enum(['create', 'skip']), reason: z.string(), runId: id.nullable() }),
  ),
});
export type BackfillPlan = z.infer<typeof backfillPlan>;

export const backfillRequest = z.strictObject({
  environment: z.string(),
  pipeline: z.string(),
  from: z.string(),
  to: z.string(),
  reprocess: z.enum(REPROCESS).default('missing'),
  /** Digest, at least six digits of it, or alias; absent: the one that the environment points at, also when that moves. */
  release: z.string().max(64).optional(),
  order: z.enum(BACKFILL_ORDERS).default('oldest_first'),
  /** Absent: the pipeline's `max_active_runs`. */
  maxActive: z.number().int().min(1).max(1000).optional(),
  dryRun: z.boolean().default(false),
});
