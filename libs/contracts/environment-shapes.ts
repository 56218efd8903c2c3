import { z } from 'zod';
import { DRIFT_KINDS } from '#core';
import { problem } from './shapes.ts';

// Every instant is ISO 8601 in UTC; absent values are null.

const instant = z.string();

/** The git branch or tag that decides an environment's release. */
export const follow = z.object({
  /** Folder or URL of the repository. */
  remote: z.string(),
  ref: z.string(),
  /** Newest commit that was looked at; null: none yet. */
  commit: z.string().nullable(),
  at: instant.nullable(),
  /** Why that commit is not what runs, or why the remote cannot be asked; null: all is well. */
  problem: z.string().nullable(),
  /** The mistakes in that commit. */
  problems: z.array(problem),
});
export type Follow = z.infer<typeof follow>;

export const environment = z.object({
  name: z.string(),
  schedules: z.enum(['active', 'paused']),
  storage: z.string(),
  release: z.string().nullable(),
  /** True: the release holds files that are not committed. */
  dirty: z.boolean(),
  releasedAt: instant.nullable(),
  /** Why the newest working tree is not what runs, if so. */
  problems: z.array(problem),
  /** Null: no git remote decides its release. */
  follow: follow.nullable(),
  /** Null: a file declares it. `closing`: it ends, and its data goes. */
  preview: z.object({ parent: z.string(), expiresAt: instant, closing: z.boolean() }).nullable(),
});
export type Environment = z.infer<typeof environment>;

/** A side is absent when the field was not there. Of secrets the names are told, never where or what they are. */
const fieldChange = z.object({ field: z.string(), before: z.unknown().optional(), after: z.unknown().optional() });

/** What the configuration of one environment has that of another has not. */
export const environmentDiff = z.object({ from: z.string(), to: z.string(), fields: z.array(fieldChange) });
export type EnvironmentDiff = z.infer<typeof environmentDiff>;

/** A configuration as it was applied: the newest is what is in force, runs are pinned to the hash of theirs. */
export const appliedConfiguration = z.object({
  seq: z.number(),
  hash: z.string(),
  actor: z.string(),
  at: z.string(),
  /** Against the one applied before; of the first one everything. */
  fields: z.array(fieldChange),
});
export type AppliedConfiguration = z.infer<typeof appliedConfiguration>;

/** What an environment has become beside what it should be; no items: nothing. */
export const environmentDrift = z.object({
  environment: z.string(),
  items: z.array(z.object({ kind: z.enum(DRIFT_KINDS), subject: z.string(), text: z.string(), remedy: z.string() })),
});
export type EnvironmentDrift = z.infer<typeof environmentDrift>;

// ---- requests

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export const previewRequest = z.strictObject({
  environment: z
    .string()
    .max(200)
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9_.-]*\/[a-z0-9][a-z0-9_.-]{0,62}$/,
      'expected a parent and a name, such as dev/pr-123',
    ),
  release: z
    .string()
    .regex(/^([0-9a-f]{6,64}|[a-z]+-[a-z]+)$/, 'expected a digest, at least six digits of it, or an alias'),
  /** From now on; of a preview that exists too. */
  expiresInMs: z
    .int()
    .min(MINUTE_MS)
    .max(90 * DAY_MS)
    .default(3 * DAY_MS),
});

export const followRequest = z.strictObject({
  /** `REPO#REF`; without `#REF` the branch `main`. */
  source: z.string().min(1).max(1300),
});
