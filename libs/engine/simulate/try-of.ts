import type { Assignment, Prepared, TaskGate } from '#core';
import { unreachable } from '#core';
import type { RunTest, TestedTry } from '#dag';
import type { WaitBody } from '../waits/prepare-wait.ts';

const SUCCESS: Extract<TestedTry, { kind: 'mocked' }> = {
  kind: 'mocked',
  outcome: { kind: 'success' },
  takesMs: 0,
  answer: 'approve',
  outputs: {},
  metrics: {},
  writes: {},
};

/** How a test says that an attempt ends: for its item of a fan-out, else for its task. */
export function tryOf(
  { taskId, mapKey, number }: Pick<Assignment, 'taskId' | 'mapKey' | 'number'>,
  outcomes: RunTest['outcomes'],
): TestedTry {
  const tries = outcomes.get(`${taskId}[${mapKey}]`) ?? outcomes.get(taskId) ?? [];
  return tries[Math.min(number, tries.length) - 1] ?? SUCCESS;
}

/** How, and how long after its beginning, a task that waits or asks comes to its end. */
export function endOfWait(
  taskId: string,
  { timeoutMs, onTimeout }: Pick<WaitBody, 'timeoutMs' | 'onTimeout'>,
  outcomes: RunTest['outcomes'],
): { readonly afterMs: number; readonly end: Prepared; readonly outputs: Readonly<Record<string, unknown>> } {
  const said = tryOf({ taskId, mapKey: '', number: 1 }, outcomes);
  const { outcome, takesMs, outputs } = said.kind === 'real' ? SUCCESS : said;
  if (timeoutMs !== null && takesMs > timeoutMs)
    return {
      afterMs: timeoutMs,
      end: { kind: onTimeout, reason: `nothing came within ${timeoutMs / 1000} s` },
      outputs: {},
    };
  const kind = outcome.kind === 'success' ? 'done' : outcome.kind === 'skipped' ? 'skip' : 'fail';
  return {
    afterMs: takesMs,
    end: { kind, reason: 'message' in outcome ? outcome.message : 'the test says so' },
    outputs,
  };
}

/** What somebody answers whom the gate of a task asks, and when; null: it is asked for ever. */
export function answerOfTest(
  tried: TestedTry,
  asks: TaskGate['asks'],
): { readonly afterMs: number; readonly state: 'success' | 'failed' | 'skipped'; readonly reason: string } | null {
  const answer = tried.kind === 'real' ? 'approve' : tried.answer;
  switch (answer) {
    case 'approve':
      return { afterMs: 0, state: 'success', reason: 'approved by the test' };
    case 'reject':
      return { afterMs: 0, state: 'failed', reason: 'rejected by the test' };
    case 'none': {
      const { timeoutMs = null, onTimeout = 'fail' } = asks ?? {};
      if (timeoutMs === null) return null;
      const reason = 'its timeout came first; last: nobody has answered';
      return { afterMs: timeoutMs, state: onTimeout === 'skip' ? 'skipped' : 'failed', reason };
    }
    default:
      return unreachable(answer);
  }
}
