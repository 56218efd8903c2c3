import type { Outcome } from '#core';
import { msOf } from '../compile/retries.ts';
import type { OutcomeShape } from '../shape/test-shape.ts';
import type { TestedTry } from './pipeline-test.ts';

type Mocked = Exclude<OutcomeShape, string>;

/** What exit codes mean to a runner. */
const DEFERRED = 75;
const SKIPPED = 99;

/** How a try ends, from one outcome of a test file; null when its `state` and `exit` contradict each other. */
export function testedTry(shape: OutcomeShape): TestedTry | null {
  if (shape === 'real') return { kind: 'real' };
  const mocked: Mocked = typeof shape === 'string' ? { state: shape } : shape;
  const outcome = outcomeOf(mocked);
  if (outcome === null) return null;
  return {
    kind: 'mocked',
    outcome,
    takesMs: mocked.takes === undefined ? 0 : msOf(mocked.takes),
    answer: mocked.answer ?? 'approve',
    outputs: mocked.outputs ?? {},
    metrics: mocked.metrics ?? {},
    writes: mocked.writes ?? {},
  };
}

function outcomeOf({ state, exit, message, retry_after: retryAfter }: Mocked): Outcome | null {
  const byExit = exit === undefined ? undefined : stateOfExit(exit);
  const kind = state ?? byExit ?? (retryAfter === undefined ? 'success' : 'deferred');
  if (byExit !== undefined && state !== undefined && state !== byExit) return null;
  if (retryAfter !== undefined && kind !== 'deferred') return null;
  switch (kind) {
    case 'success':
      return { kind };
    case 'failed':
      return { kind, exitCode: exit ?? 1, message: message ?? `exit code ${exit ?? 1}` };
    case 'skipped':
      return { kind, message: message ?? `exit code ${SKIPPED}: the task skipped itself` };
    case 'deferred':
      return {
        kind,
        afterMs: retryAfter === undefined ? 60_000 : msOf(retryAfter),
        message: message ?? `exit code ${DEFERRED}: try again later`,
      };
    case 'timed_out':
      return { kind, message: message ?? 'timed out' };
    case 'lost':
      return { kind, message: message ?? 'its process died' };
  }
}

function stateOfExit(exit: number): 'success' | 'skipped' | 'deferred' | 'failed' {
  if (exit === 0) return 'success';
  if (exit === SKIPPED) return 'skipped';
  return exit === DEFERRED ? 'deferred' : 'failed';
}
