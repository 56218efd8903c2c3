import type { Comparison, TaskVerdict } from './compare-outputs.ts';
import { notComparable } from './compare-outputs.ts';
import type { CompiledPipeline, CompiledTask } from './pipeline.ts';
import type { LoadedTaskRun, NewRun } from './store-port.ts';
import type { RunVersion } from './verification-store.ts';

export interface VerificationFacts {
  /** As its release has it; null: that release is gone. */
  readonly pipeline: CompiledPipeline | null;
  readonly taskRuns: readonly LoadedTaskRun[];
  /** What the run wrote. */
  readonly versions: readonly RunVersion[];
  /** Versions whose data is not there any more, or is not what was published. */
  readonly gone: ReadonlySet<string>;
}

/** `impossible`: nothing need be started to know it. `takeOver`: task runs that are not executed again. */
export type VerificationPlan =
  | { readonly kind: 'impossible'; readonly comparison: Comparison }
  | { readonly kind: 'start'; readonly takeOver: NewRun['takeOver'] };

/** Can this run be executed again on what it was executed on, and is there something to compare? */
export function planVerification({ pipeline, taskRuns, versions, gone }: VerificationFacts): VerificationPlan {
  const impossible = (detail: string, tasks: readonly TaskVerdict[] = []): VerificationPlan => ({
    kind: 'impossible',
    comparison: notComparable(detail, tasks),
  });
  if (pipeline === null) return impossible('The release that it ran on is gone.');
  const again = new Set(pipeline.tasks.filter((task) => exclusionOf(task) === null).map(({ id }) => id));
  const written = new Set(versions.map(({ version }) => version));
  for (const { taskId, mapKey, inputs } of taskRuns) {
    if (!again.has(taskId)) continue;
    const name = mapKey === '' ? taskId : `${taskId}[${mapKey}]`;
    for (const input of inputs ?? [])
      for (const { version, location } of input.versions)
        if (!written.has(version) && gone.has(version))
          return impossible(`An input of task ${name} is gone: ${location}, version ${version}.`);
  }
  const lost = versions.find(({ version }) => gone.has(version));
  if (lost !== undefined)
    return impossible(`What task ${lost.taskId} wrote is gone: ${lost.location}, version ${lost.version}.`);
  const excluded = taskRuns.flatMap((row): TaskVerdict[] => {
    const task = pipeline.tasks.find(({ id }) => id === row.taskId);
    const reason = task === undefined ? null : exclusionOf(task);
    if (reason === null) return [];
    const { taskId, mapIndex, mapKey } = row;
    return [{ taskId, mapIndex, mapKey, verdict: 'not_comparable', reason, files: 0, drifted: 0 }];
  });
  if (!versions.some(({ taskId }) => again.has(taskId)))
    return impossible(
      excluded.length > 0
        ? `No task could be executed again: ${excluded[0]?.taskId ?? ''} ${excluded[0]?.reason ?? ''}.`
        : 'No task of the run wrote a path.',
      excluded,
    );
  return { kind: 'start', takeOver: excluded.map(({ taskId, mapIndex }) => ({ taskId, mapIndex })) };
}

/** Why what a task writes says nothing about the task; null: it does. */
export function exclusionOf(task: CompiledTask): string | null {
  if (task.secrets.length > 0) return 'uses secrets';
  if (task.network === true) return 'uses the network';
  return null;
}
