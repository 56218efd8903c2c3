import type { AttemptResult, Outcome } from '#core';

/** The result of an attempt that left nothing behind. */
export function endedResult(
  runId: string,
  { attemptId, fence }: { readonly attemptId: string; readonly fence: number },
  outcome: Outcome,
  now: number,
): AttemptResult {
  return {
    attemptId,
    runId,
    fence,
    outcome,
    startedAt: now,
    finishedAt: now,
    outputs: {},
    metrics: [],
    summary: null,
    versions: [],
    logLines: 0,
  };
}
