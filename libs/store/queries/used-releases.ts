import type { Db } from '../statement.ts';

/** Digests that an environment points at now or that some run was pinned to. Walks all runs: for once an hour. */
export async function usedReleases(db: Db): Promise<string[]> {
  const rows = await db.sql<{ release: string }[]>`
    select release from run
    union
    (select distinct on (environment) release from environment_pointer order by environment, seq desc)`;
  return rows.map((row) => row.release);
}

/** Digests of all releases that the database knows. */
export async function recordedReleases(db: Db): Promise<string[]> {
  return (await db.sql<{ digest: string }[]>`select digest from release`).map(({ digest }) => digest);
}
