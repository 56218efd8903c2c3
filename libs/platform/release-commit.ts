import type { ReleaseStore, StoredRelease } from '#release';
import { snapshotCommit } from '#release';
import { recordRelease, type Db } from '#store';

/** Makes a commit of a repository on this machine a release. Throws `invalid_config` for any problem of its files. */
export async function releaseCommit(
  { db, releases }: { readonly db: Db; readonly releases: ReleaseStore },
  given: { readonly repository: string; readonly ref: string; readonly actor: string },
): Promise<StoredRelease> {
  const release = await releases.put(await snapshotCommit(given), { whole: true });
  await recordRelease(db, release, null, given.actor);
  return release;
}
