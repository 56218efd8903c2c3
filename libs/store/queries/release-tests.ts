import type { RecordedTests } from '#core';
import { inTransaction, type Db } from '../statement.ts';
import { appendAudit } from './audit.ts';

/** Records what the tests of a release came to, with a record in the audit trail. Throws for a release that is not there. */
export function recordTests(db: Db, release: string, tests: Omit<RecordedTests, 'at'>): Promise<void> {
  const { passed, failed, seconds, junit, buildUrl, actor } = tests;
  return inTransaction(db, async (manager) => {
    await manager.sql`
      with recorded as (
        insert into release_test (release, passed, failed, seconds, junit, build_url, actor)
        values (${release}, ${passed}, ${failed}, ${seconds}, ${junit}, ${buildUrl}, ${actor})
        returning 1
      )
      select count(*) from recorded`;
    const detail = { passed, failed, seconds, junit, buildUrl };
    await appendAudit(manager, [{ actor, action: 'release.test', environment: null, subject: release, detail }]);
  });
}

/** Walks release_test_of_release. */
export async function recordedTests(db: Db, release: string): Promise<RecordedTests | null> {
  const [row] = await db.sql<RecordedTests[]>`
    select passed, failed, seconds, junit, build_url as "buildUrl", actor, at
    from release_test where release = ${release} order by id desc limit 1`;
  return row ?? null;
}
