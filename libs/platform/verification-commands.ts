import type { Clock } from '#core';
import type { GcReport } from '#contracts';
import { collectGarbage, type GarbageRequest } from './collect-garbage.ts';
import type { Installation } from './installation.ts';

/** What the API does about runs that are executed again, and about what nothing needs any more. */
export function createVerificationCommands(
  {
    db,
    releases,
    storageFor,
    verify,
    mirrors,
  }: Pick<Installation, 'db' | 'releases' | 'storageFor' | 'verify'> & { readonly mirrors: string },
  clock: Clock,
) {
  return {
    verifyRun: (runId: string, actor: string): Promise<string> => verify(runId, actor),
    collectGarbage: (request: GarbageRequest, actor: string): Promise<GcReport> =>
      collectGarbage({ db, releases, storageFor, clock, mirrors }, request, actor),
  };
}
