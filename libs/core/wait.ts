import { unreachable } from './errors.ts';

export const WAIT_KINDS = ['path', 'dataset', 'http', 'run', 'time', 'expr', 'approve', 'call', 'past'] as const;
export type WaitKind = (typeof WAIT_KINDS)[number];

/** How a wait ended. */
export type WaitOutcome = 'met' | 'skipped' | 'failed';

/** How often and how long. Instants are epoch milliseconds. */
export interface WaitLimit {
  readonly everyMs: number;
  /** Null: it waits for as long as it takes. */
  readonly timeoutAt: number | null;
  readonly onTimeout: 'fail' | 'skip';
}

/** What one look at the thing that is waited for found. */
export type Look =
  | { readonly kind: 'met'; readonly detail: string }
  /** `notBefore`: the other side asked to be left alone until then. `at`: nothing can change before. */
  | { readonly kind: 'not-yet'; readonly detail: string; readonly notBefore?: number; readonly at?: number }
  /** It can never be looked at: a mistake of the author that only shows now. */
  | { readonly kind: 'never'; readonly detail: string };

export type WaitStep =
  | { readonly kind: 'ends'; readonly outcome: WaitOutcome; readonly reason: string }
  /** `nextCheckAt` null: only somebody's answer can end it. */
  | { readonly kind: 'goes-on'; readonly detail: string; readonly nextCheckAt: number | null };

/** What follows a look. A thing that is there at the last moment counts; what is asked for never passes the time-out by. */
export function afterLook(limit: WaitLimit, look: Look, now: number): WaitStep {
  switch (look.kind) {
    case 'met':
      return { kind: 'ends', outcome: 'met', reason: look.detail };
    case 'never':
      return { kind: 'ends', outcome: 'failed', reason: look.detail };
    case 'not-yet': {
      if (limit.timeoutAt !== null && limit.timeoutAt <= now)
        return {
          kind: 'ends',
          outcome: limit.onTimeout === 'skip' ? 'skipped' : 'failed',
          reason: `its timeout came first; last: ${look.detail}`,
        };
      const next = look.at ?? Math.max(now + limit.everyMs, look.notBefore ?? 0);
      return { kind: 'goes-on', detail: look.detail, nextCheckAt: Math.min(next, limit.timeoutAt ?? next) };
    }
    default:
      return unreachable(look);
  }
}

/** When a wait that begins now is first looked at: at once, but an answer of a person only ends by its time-out. */
export function firstCheckAt(kind: WaitKind, timeoutAt: number | null, now: number): number | null {
  return kind === 'approve' ? timeoutAt : now;
}
