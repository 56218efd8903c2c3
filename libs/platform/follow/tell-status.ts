import { followQueries } from '#store';
import type { CommitStatus } from './commit-statuses.ts';
import type { FollowParts } from './follow-parts.ts';

type Row = followQueries.FollowRow;

/** Says once for each commit, where the repository is kept, what became of it. Throws when that place does not take it. */
export async function tellStatus({ db, statuses, publicUrl }: FollowParts, environment: string): Promise<void> {
  if (statuses === null) return;
  const row = (await followQueries.readFollows(db)).find((one) => one.environment === environment);
  const status = row === undefined ? null : statusOf(row, publicUrl);
  if (row === undefined || status === null) return;
  const told = `${status.commit}:${status.state}`;
  if (row.told === told) return;
  await statuses.tell(status);
  await followQueries.noteTold(db, row, told);
}

/** Null: nothing is known of a commit yet. */
export function statusOf(
  { environment, remote, commit, release, problem, problems: [first] }: Row,
  publicUrl: string,
): CommitStatus | null {
  if (commit === null || (release === null && problem === null)) return null;
  const wrong = first === undefined ? problem : `${first.file}:${first.line}:${first.column}: ${first.message}`;
  return {
    ...{ remote, commit, context: `sluice/${environment}` },
    state: release === null ? 'failure' : 'success',
    description: release === null ? (wrong ?? '') : `${environment} runs release ${release.slice(0, 12)}`,
    url: publicUrl === '' ? null : `${publicUrl}/?env=${encodeURIComponent(environment)}`,
  };
}
