import type { CompiledTask, EngineStore, InputBinding, PinnedVersion, RunRecord } from '#core';
import type { Pinned } from '../pin-inputs.ts';

/** The run that this one executes again; null: it is about itself. */
export function verifiedRun({ trigger, originRun }: Pick<RunRecord, 'trigger' | 'originRun'>): string | null {
  return trigger === 'verification' ? originRun : null;
}

/**
 * What the task read then, version by version: nothing is looked up anew. Only what the run wrote itself is replaced by
 * what has been written again for it.
 */
export async function pinAsBefore(
  store: EngineStore,
  runId: string,
  verified: string,
  task: CompiledTask,
  mapIndex: number | null,
): Promise<Pinned> {
  if (task.reads.length === 0) return { kind: 'pinned', inputs: [] };
  const earlier = await store.earlierInputs(verified, runId, task.id, mapIndex);
  if (earlier === null) return { kind: 'missing', reason: `run ${verified} did not execute it` };
  const inputs: InputBinding[] = [];
  for (const input of earlier.inputs) {
    const versions: PinnedVersion[] = [];
    for (const version of input.versions) {
      const now = earlier.replaced.get(version.version);
      if (now === null)
        return { kind: 'missing', reason: `${version.location}, which it reads, has not been written again` };
      versions.push(now === undefined ? version : { link: version.link, ...now });
    }
    inputs.push({ ...input, versions });
  }
  return { kind: 'pinned', inputs };
}
