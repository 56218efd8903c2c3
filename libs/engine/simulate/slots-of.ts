import { SluiceError, type CompiledTask } from '#core';

/** What a task asks for of its pool. */
export function slotsOf(
  task: CompiledTask | undefined,
): Pick<CompiledTask, 'pool' | 'slots' | 'priority' | 'replicas'> {
  if (task === undefined) throw new SluiceError('internal', 'an attempt of a task that the pipeline does not have');
  return task;
}
