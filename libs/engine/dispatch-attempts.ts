import type { Assignment, AttemptResult, Executor } from '#core';
import type { AttemptIdentity } from './assignment.ts';
import { buildAssignment } from './assignment.ts';
import { endedResult } from './ended-result.ts';
import type { OwnedRun } from './owned-run.ts';
import type { Observer } from './ports.ts';

/** Hands attempts to the executor. Returns the results of those that cannot be: a mistake that only shows now. */
export function dispatchAttempts(
  { executor, observer }: { readonly executor: Executor; readonly observer: Observer },
  run: OwnedRun,
  attempts: readonly AttemptIdentity[],
  now: number,
): AttemptResult[] {
  const assignments: Assignment[] = [];
  const refused: AttemptResult[] = [];
  for (const attempt of attempts) {
    const built = buildAssignment(run, attempt);
    if (built.ok) assignments.push(built.assignment);
    else
      refused.push(
        endedResult(run.record.id, attempt, { kind: 'failed', exitCode: null, message: built.message }, now),
      );
  }
  if (assignments.length > 0) {
    observer.event('attempts-dispatched', { count: assignments.length });
    executor.dispatch(assignments);
  }
  return refused;
}
