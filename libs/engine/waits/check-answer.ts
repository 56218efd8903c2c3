import type { Caller, RunRecord, StoredWait } from '#core';
import { SluiceError } from '#core';

/** Throws unless the task asks something now, and this caller is among those whom it asks. */
export function checkAnswer(
  run: RunRecord,
  taskId: string,
  wait: StoredWait | null,
  caller: Pick<Caller, 'name' | 'groups'>,
): void {
  if (wait?.target.kind !== 'approve')
    throw new SluiceError('conflict', `Task "${taskId}" of run ${run.id} (${run.state}) asks nobody at the moment.`, {
      hint: `See \`sluice runs why ${run.id}\`.`,
    });
  if (wait.outcome !== null) throw answeredAlready(run.id, taskId, wait.reason);
  const { groups } = wait.target;
  if (groups.length > 0 && !groups.some((group) => caller.groups.includes(group)))
    throw new SluiceError(
      'forbidden',
      `Task "${taskId}" of run ${run.id} asks ${groups.join(' or ')}; ${caller.name} is in ${caller.groups.length === 0 ? 'no group' : caller.groups.join(', ')}.`,
      { hint: 'Ask one of them, or make a token with that group.' },
    );
}

/** Somebody else, or the time-out, was first. */
export function answeredAlready(runId: string, taskId: string, reason: string | null): SluiceError {
  const how = reason === null ? '' : `: ${reason}`;
  return new SluiceError('conflict', `Task "${taskId}" of run ${runId} was answered already${how}.`);
}
