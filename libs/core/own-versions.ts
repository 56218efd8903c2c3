import type { Assignment, AttemptResult } from './attempt.ts';

/** A result as it counts: what a worker says to have published where its attempt had nothing to write makes it a failure. */
export function onlyOwnVersions(assignment: Assignment, result: AttemptResult): AttemptResult {
  const foreign = result.versions.find(
    ({ name, location }) => !assignment.writes.some((write) => write.name === name && write.location === location),
  );
  if (foreign === undefined) return result;
  const message = `its worker says that it published ${foreign.location}, which it was not to write`;
  return { ...result, versions: [], outcome: { kind: 'failed', exitCode: null, message } };
}
