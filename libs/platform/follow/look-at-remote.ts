import { type Problem, SluiceError } from '#core';
import { RemoteMirror } from '#release';
import { followQueries } from '#store';
import type { FollowParts } from './follow-parts.ts';

/** What another look at the same commit cannot change. */
const LASTING = ['bad_request', 'invalid_config', 'not_found'];

/** What one process remembers between two looks. */
export interface Seen {
  /** A commit that cannot become a release. */
  broken: string | null;
}

type Row = followQueries.FollowRow;

/**
 * Asks the remote, and makes a new commit what the environment runs. What is wrong is noted beside it, and the last
 * release goes on. False: nothing is wrong for good, so try again later.
 */
export async function lookAtRemote(parts: FollowParts, row: Row, seen: Seen, signal: AbortSignal): Promise<boolean> {
  const { db, folder, access, refusal, onChange } = parts;
  const mirror = new RemoteMirror({ folder, remote: row.remote, access, signal });
  try {
    const refused = refusal(row.environment);
    if (refused !== null) throw new SluiceError('conflict', refused);
    const { commit, fullRef } = await mirror.head(row.ref);
    const isRunning = row.release !== null && row.release === row.current;
    if (row.commit !== commit || (row.release === null ? seen.broken !== commit : !isRunning))
      return await take(parts, row, seen, mirror, fullRef);
    if (row.release !== null && row.problem !== null) {
      await followQueries.clearFollowProblem(db, row);
      onChange(false);
    }
    return true;
  } catch (error) {
    if (signal.aborted) return true;
    // Its own problem gives way to this one, and is found again after it.
    seen.broken = null;
    await followQueries.noteFollowProblem(db, row, null, sentence(error), []);
    onChange(false);
    return false;
  }
}

async function take(
  { db, releases, observer, onChange }: FollowParts,
  row: Row,
  seen: Seen,
  mirror: RemoteMirror,
  fullRef: string,
): Promise<boolean> {
  const commit = await mirror.fetch(fullRef);
  try {
    const release = await releases.put(await mirror.snapshot(fullRef), { whole: true });
    const how = await followQueries.followTo(db, row, commit, release);
    if (how === 'stale') throw new SluiceError('conflict', `Somebody else moved ${row.environment} meanwhile.`);
    if (how === 'moved')
      observer.event('release-followed', {
        ...{ environment: row.environment, commit, release: release.digest.slice(0, 12), alias: release.alias },
      });
    onChange(how === 'moved');
    return how !== 'stopped';
  } catch (error) {
    if (!(error instanceof SluiceError) || !LASTING.includes(error.code)) throw error;
    const problems = (error.details.problems ?? []) as readonly Problem[];
    await followQueries.noteFollowProblem(db, row, commit, sentence(error), problems);
    seen.broken = commit;
    onChange(false);
    return true;
  }
}

function sentence(error: unknown): string {
  const { message } = error as Error;
  return error instanceof SluiceError && error.hint ? `${message} ${error.hint}` : message;
}
