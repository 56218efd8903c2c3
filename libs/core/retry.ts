import type { Outcome } from './attempt.ts';
import type { RetryPolicy } from './pipeline.ts';
import { unreachable } from './errors.ts';

/** Attempts lost with their process are repeated this often before the task run fails. */
export const MAX_LOST = 5;
/** Exit code 75 ("try again later") is honoured this often before the task run fails. */
export const MAX_DEFERRED = 20;

export interface TryCounts {
  readonly retriesUsed: number;
  readonly lost: number;
  readonly deferred: number;
}

/** What follows the end of an attempt. `counts` are the new ones. */
export type AfterAttempt =
  | {
      readonly kind: 'end';
      readonly state: 'success' | 'failed' | 'skipped' | 'cancelled';
      readonly reason: string | null;
      readonly counts: TryCounts;
    }
  | {
      readonly kind: 'again';
      readonly state: 'retrying' | 'lost';
      readonly delayMs: number;
      readonly reason: string;
      readonly counts: TryCounts;
    };

/** The one place that decides on retries. `seed` makes jitter deterministic: run, task and attempt. */
export function decideAfterAttempt(
  outcome: Outcome,
  policy: RetryPolicy,
  counts: TryCounts,
  seed: string,
): AfterAttempt {
  switch (outcome.kind) {
    case 'success':
      return { kind: 'end', state: 'success', reason: null, counts };
    case 'skipped':
      return { kind: 'end', state: 'skipped', reason: outcome.message, counts };
    case 'cancelled':
      return { kind: 'end', state: 'cancelled', reason: outcome.message, counts };
    case 'deferred': {
      const deferred = counts.deferred + 1;
      if (deferred > MAX_DEFERRED)
        return {
          kind: 'end',
          state: 'failed',
          reason: `asked to be tried again later ${deferred} times (at most ${MAX_DEFERRED}): ${outcome.message}`,
          counts,
        };
      return {
        kind: 'again',
        state: 'retrying',
        delayMs: outcome.afterMs,
        reason: outcome.message,
        counts: { ...counts, deferred },
      };
    }
    case 'lost': {
      const lost = counts.lost + 1;
      if (lost > MAX_LOST)
        return {
          kind: 'end',
          state: 'failed',
          reason: `lost with its process ${lost} times (at most ${MAX_LOST}): ${outcome.message}`,
          counts,
        };
      return { kind: 'again', state: 'lost', delayMs: 0, reason: outcome.message, counts: { ...counts, lost } };
    }
    case 'failed':
    case 'timed_out': {
      if (counts.retriesUsed >= policy.max || !isRetried(outcome, policy))
        return { kind: 'end', state: 'failed', reason: outcome.message, counts };
      const retriesUsed = counts.retriesUsed + 1;
      return {
        kind: 'again',
        state: 'retrying',
        delayMs: retryDelayMs(policy, retriesUsed, seed),
        reason: outcome.message,
        counts: { ...counts, retriesUsed },
      };
    }
    default:
      return unreachable(outcome);
  }
}

function isRetried(outcome: Extract<Outcome, { kind: 'failed' | 'timed_out' }>, policy: RetryPolicy): boolean {
  if (policy.on === null) return true;
  if (outcome.kind === 'timed_out') return policy.on.includes('timeout');
  return outcome.exitCode !== null && policy.on.includes(outcome.exitCode);
}

/** Delay before retry number `retry` (1 for the first): delay × backoff^(retry−1), capped, plus a share of it chosen by hash. */
export function retryDelayMs(policy: RetryPolicy, retry: number, seed: string): number {
  const base = Math.min(policy.delayMs * policy.backoff ** (retry - 1), policy.maxDelayMs);
  const jittered = base + base * policy.jitter * unitHash(`${seed}#${retry}`);
  return Math.round(Math.min(jittered, policy.maxDelayMs));
}

/** FNV-1a over UTF-16 units, mapped to [0, 1): the same text gives the same number everywhere and for ever. */
export function unitHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) / 2 ** 32;
}
