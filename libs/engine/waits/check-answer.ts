import type { Caller, Question, RunRecord } from '#core';
import { SluiceError } from '#core';

/**
 * Of what a task has asked, what was named (`mapIndex` null: all of it) and nobody has answered. Throws when there is nothing,
 * and when this caller is not among those whom it asks.
 */
export function openQuestions(
  run: RunRecord,
  { taskId, mapIndex }: { readonly taskId: string; readonly mapIndex: number | null },
  questions: readonly Question[],
  caller: Pick<Caller, 'name' | 'groups'>,
): readonly Question[] {
  const named = questions.filter((question) => (mapIndex ?? question.mapIndex) === question.mapIndex);
  const [only, other] = named;
  const item = mapIndex === null ? '' : `[${only?.mapKey || mapIndex}]`;
  if (only === undefined)
    throw new SluiceError(
      'conflict',
      `Task "${taskId}${item}" of run ${run.id} (${run.state}) asks nobody at the moment.`,
      { hint: `See \`sluice runs why ${run.id}\`.` },
    );
  const open = named.filter(({ outcome }) => outcome === null);
  const [first] = open;
  if (first === undefined) throw answeredAlready(run.id, `${taskId}${item}`, other ? null : only.reason);
  const { groups } = first;
  if (groups.length > 0 && !groups.some((group) => caller.groups.includes(group)))
    throw new SluiceError(
      'forbidden',
      `Task "${taskId}${item}" of run ${run.id} asks ${groups.join(' or ')}; ${caller.name} is in ${caller.groups.length === 0 ? 'no group' : caller.groups.join(', ')}.`,
      { hint: 'Ask one of them, or make a token with that group.' },
    );
  return open;
}

/** Somebody else, or the time-out, was first. */
export function answeredAlready(runId: string, task: string, reason: string | null): SluiceError {
  const how = reason === null ? '' : `: ${reason}`;
  return new SluiceError('conflict', `Task "${task}" of run ${runId} was answered already${how}.`);
}
