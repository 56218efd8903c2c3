import type { ReleaseRecord } from '#core';
import { inTransaction, type Db } from '../statement.ts';
import { appendAudit } from './audit.ts';

/**
 * Records a release of a commit, with a record in the audit trail. One that is known as dirty becomes clean and takes
 * the commit; of one that is known as clean only a missing build URL is filled in. True when anything changed.
 */
export function recordRelease(
  db: Db,
  release: ReleaseRecord,
  buildUrl: string | null,
  actor: string,
): Promise<boolean> {
  const { digest, alias, commit, branch, author, message } = release;
  return inTransaction(db, async (manager) => {
    const changed = await manager.sql<object[]>`
      with recorded as (
        insert into release (digest, alias, commit, branch, author, message, dirty, build_url)
        values (${digest}, ${alias}, ${commit}, ${branch}, ${author}, ${message}, false, ${buildUrl})
        on conflict (digest) do update
        set commit = case when release.dirty then excluded.commit else release.commit end,
            branch = case when release.dirty then excluded.branch else release.branch end,
            author = case when release.dirty then excluded.author else release.author end,
            message = case when release.dirty then excluded.message else release.message end,
            build_url = coalesce(release.build_url, excluded.build_url),
            dirty = false
        where release.dirty or (release.build_url is null and excluded.build_url is not null)
        returning 1
      )
      select * from recorded`;
    if (changed.length === 0) return false;
    const detail = { alias, commit, branch, author, buildUrl };
    await appendAudit(manager, [{ actor, action: 'release.create', environment: null, subject: digest, detail }]);
    return true;
  });
}
