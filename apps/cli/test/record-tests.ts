import { createHash } from 'node:crypto';
import { SluiceError } from '#core';
import type { ReleaseDetail } from '#contracts';
import type { SluiceClient } from '#contracts/client';
import { isPassed, type TestedResult } from './tested-result.ts';

/** The release that `dags/` with this digest is; `ref`: which one it has to be. */
export async function releaseUnderTest(
  client: SluiceClient,
  digest: string,
  ref: string | undefined,
): Promise<ReleaseDetail> {
  const here = `dags/ as it is here (${digest.slice(0, 12)})`;
  const release = await client.release(ref ?? digest).catch((error: unknown) => {
    if (ref !== undefined || !(error instanceof SluiceError) || error.code !== 'not_found') throw error;
    throw new SluiceError('not_found', `${here} is no release; nothing was tested.`, {
      hint: 'Commit what changed and make one of it: `sluice release create`.',
      cause: error,
    });
  });
  if (release.digest === digest) return release;
  const message = `${here} is not release ${release.alias} (${release.digest.slice(0, 12)}); nothing was tested.`;
  throw new SluiceError('conflict', message, {
    hint: 'Check out its commit, without changes and other files in dags/; `git status dags` shows them.',
  });
}

export async function recordTests(
  client: SluiceClient,
  release: string,
  tested: { readonly results: readonly TestedResult[]; readonly junit: string; readonly ms: number },
  buildUrl: string | null,
): Promise<void> {
  const passed = tested.results.filter(isPassed).length;
  await client.recordTests(release, {
    ...{ passed, failed: tested.results.length - passed, seconds: tested.ms / 1000, buildUrl },
    junit: createHash('sha256').update(tested.junit).digest('hex'),
  });
}
