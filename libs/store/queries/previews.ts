import type { EnvironmentConfig, ReleaseRecord } from '#core';
import { inTransaction, type Db } from '../statement.ts';
import { appendAudit } from './audit.ts';
import { clearFollow } from './follows.ts';
import { applyEnvironment, currentRelease, pointAt } from './releases.ts';
import { send } from './runs.ts';

/** Environments that end by themselves: created with a release, closed (nothing starts any more), removed (no data any more). */

export interface PreviewRow {
  readonly environment: string;
  readonly parent: string;
  /** Where its data lies, as it was when it was created. */
  readonly storage: string;
  readonly actor: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly closing: boolean;
}

/** Those that are not removed yet, by name. */
export function openPreviews(db: Db): Promise<PreviewRow[]> {
  return db.sql<PreviewRow[]>`
    select environment, parent, storage, actor, created_at as "createdAt", expires_at as "expiresAt",
           closing_at is not null as closing
    from preview
    where removed_at is null
    order by environment`;
}

/** Those of these parents that are gone while runs of them are left, by name. */
export function gonePreviews(db: Db, parents: readonly string[]): Promise<{ environment: string; parent: string }[]> {
  return db.sql`
    select p.environment, p.parent
    from (select distinct environment, parent from preview where parent = any(${parents}::text[])) p
    where not exists (select from preview o where o.environment = p.environment and o.removed_at is null)
      and exists (select from run r where r.environment = p.environment)
    order by p.environment`;
}

/** From its closing on, so long every process has seen that it closes: nobody starts anything there any more. */
const SETTLE_MS = 5000;

export interface NewPreview {
  readonly environment: string;
  readonly parent: string;
  readonly config: EnvironmentConfig;
  readonly hash: string;
  readonly release: ReleaseRecord;
  readonly expiresInMs: number;
}

/**
 * One transaction: the preview with its configuration, pointing at a release. One that exists gets the release and the new
 * end. `closing`: one of that name is being removed; `stale`: somebody else moved its pointer meanwhile.
 */
export function createPreview(
  db: Db,
  given: NewPreview,
  actor: string,
): Promise<'created' | 'moved' | 'closing' | 'stale'> {
  const { environment, parent, config, hash, release, expiresInMs } = given;
  return inTransaction(db, async (manager) => {
    // Without waiting for whoever erases one that closes.
    const [open] = await manager.sql<{ closing: boolean }[]>`
      select closing_at is not null as closing from preview where environment = ${environment} and removed_at is null`;
    if (open?.closing === true) return 'closing';
    const [preview] = await manager.sql<{ created: boolean; closing: boolean; expiresAt: string }[]>`
      with kept as (
        insert into preview (environment, parent, storage, actor, expires_at)
        values (${environment}, ${parent}, ${config.storage}, ${actor}, now() + ${expiresInMs} * interval '1 ms')
        on conflict (environment) where removed_at is null do update
        set expires_at = case when preview.closing_at is null then excluded.expires_at else preview.expires_at end
        returning xmax = 0 as created, closing_at is not null as closing, expires_at
      )
      select created, closing, expires_at as "expiresAt" from kept`;
    if (preview === undefined || preview.closing) return 'closing';
    const current = await currentRelease(manager, environment);
    await applyEnvironment(manager, environment, hash, config, actor, config.pools);
    if (
      current?.release !== release.digest &&
      !(await pointAt(manager, environment, release, current?.seq ?? 0, actor))
    )
      return 'stale';
    const detail = { release: release.digest, expiresAt: preview.expiresAt, storage: config.storage };
    const action = preview.created ? 'preview.create' : 'preview.move';
    await appendAudit(manager, [{ actor, action, environment, subject: environment, detail }]);
    return preview.created ? 'created' : 'moved';
  });
}

/** Closes a preview for good. False when there is none, or it is closing already. */
export function closePreview(db: Db, environment: string, actor: string, why: string): Promise<boolean> {
  return inTransaction(db, async (manager) => {
    const [closed] = await manager.sql<{ expiresAt: string }[]>`
      with closed as (
        update preview set closing_at = now(), closed_by = ${actor}
        where environment = ${environment} and removed_at is null and closing_at is null
        returning expires_at
      )
      select expires_at as "expiresAt" from closed`;
    if (closed === undefined) return false;
    await clearFollow(manager, environment, actor);
    const runs = await cancelRuns(manager, environment, `the preview ${environment} is removed`);
    const detail = { why, expiresAt: closed.expiresAt, runsCancelled: runs };
    await appendAudit(manager, [{ actor, action: 'preview.remove', environment, subject: environment, detail }]);
    return true;
  });
}

/** Environments of previews whose time is up by the database's clock. */
export async function expiredPreviews(db: Db): Promise<string[]> {
  const rows = await db.sql<{ environment: string }[]>`
    select environment from preview
    where removed_at is null and closing_at is null and expires_at <= now()
    order by environment`;
  return rows.map(({ environment }) => environment);
}

/** Ends what is queued and asks the owners of what runs; how many runs were live. One transaction with the caller's. */
export async function cancelRuns(db: Db, environment: string, reason: string): Promise<number> {
  const ended = await db.sql<object[]>`
    with ended as (
      update run set state = 'cancelled', reason = ${reason}, finished_at = clock_timestamp(), deadline_at = null
      where environment = ${environment} and state = 'queued'
      returning id, environment, pipeline
    ), shown as (
      insert into event (environment, run_id, payload)
      select environment, id, jsonb_build_object('kind', 'run', 'environment', environment, 'pipeline', pipeline, 'runId', id::text, 'state', 'cancelled')
      from ended
    )
    select id from ended`;
  const running = await db.sql<{ id: string; asked: boolean }[]>`
    select id::text, cancel_requested as asked from run where environment = ${environment} and state = 'running' order by id`;
  const asking = running.filter(({ asked }) => !asked);
  if (asking.length > 0)
    await send(
      db,
      asking.map(({ id }) => ({ runId: id, kind: 'cancel', payload: { reason } })),
    );
  return ended.length + running.length;
}

/**
 * Erases the data of previews that are closing and have nothing live any more, and forgets what points into it; what ran
 * stays in the history. Holds a preview's row while `erase` goes on, so that nobody else erases, and nobody makes one of
 * that name meanwhile. False: it is not time yet, or another process is at it. Repeatable: a kill leaves it closing.
 */
export function finishPreview(
  db: Db,
  environment: string,
  erase: (preview: Pick<PreviewRow, 'environment' | 'storage'>) => Promise<void>,
): Promise<boolean> {
  return inTransaction(db, async (manager) => {
    const [preview] = await manager.sql<{ environment: string; storage: string }[]>`
      select environment, storage from preview
      where environment = ${environment} and removed_at is null and closing_at < clock_timestamp() - ${SETTLE_MS} * interval '1 ms'
        and not exists (select from run r where r.environment = ${environment} and r.state in ('queued', 'running'))
        and not exists (select from attempt a join run r on r.id = a.run_id
                        where r.environment = ${environment} and a.state in ('queued', 'running'))
      for update skip locked`;
    if (preview === undefined) return false;
    await erase(preview);
    await manager.sql`
      with removed as (
        update preview set removed_at = clock_timestamp() where environment = ${environment} and removed_at is null
        returning environment, parent
      ), versions as (
        update path_version v set removed_at = coalesce(v.removed_at, now()), erased_at = now()
        from removed r
        where v.environment = r.environment and v.erased_at is null
      ), paths as (
        delete from path_pointer p using removed r where p.environment = r.environment
      ), schedules as (
        delete from schedule s using removed r where s.environment = r.environment
      ), pools as (
        delete from pool p using removed r where p.environment = r.environment
      ), follows as (
        delete from environment_follow f using removed r where f.environment = r.environment
      ), shown as (
        insert into event (environment, payload)
        select parent, jsonb_build_object('kind', 'release', 'environment', parent, 'release', '') from removed
      )
      select count(*) from removed`;
    return true;
  });
}
