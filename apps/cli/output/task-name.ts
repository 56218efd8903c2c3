export interface NamedTaskRun {
  readonly taskId: string;
  /** Of its fan-out; empty: it has none. */
  readonly mapKey: string;
}

/** `train`, or of a fan-out `train[lr=0.1]`. */
export function taskName({ taskId, mapKey }: NamedTaskRun): string {
  return mapKey === '' ? taskId : `${taskId}[${mapKey}]`;
}

/** The same as a word of a command: a shell would take the brackets for a pattern. */
export function taskWord(taskRun: NamedTaskRun): string {
  return taskRun.mapKey === '' ? taskRun.taskId : `'${taskName(taskRun)}'`;
}
