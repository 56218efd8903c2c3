import type { ReleaseStore } from '#release';

/** Why a release cannot run, for people; empty: it can. */
export async function releaseProblems(
  releases: Pick<ReleaseStore, 'get'>,
  release: string,
): Promise<readonly string[]> {
  const stored = await releases.get(release);
  if (stored === null) return ['Its contents are not in the release store any more; create it again.'];
  return Object.values(stored.problems)
    .flat()
    .map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`);
}
