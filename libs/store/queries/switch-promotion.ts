import type { DataSource } from 'typeorm';
import type { Db } from '../statement.ts';
import { appendAudit } from './audit.ts';
import { VERSIONS_LOCK } from './verifications.ts';
import { send } from './runs.ts';

/** The two moments at which an environment changes its release: the switch, and the way back. */

interface Locked {
  readonly environment: string;
  readonly release: string;
  readonly kind: string;
  readonly actor: string;
  readonly pointerSeq: number;
  readonly configHash: string;
  readonly reason: string | null;
  readonly inFlight: 'finish' | 'cancel';
}

/**
 * One transaction: locks the promotion, looks once more at pointer, configuration, hold and freeze, moves the pointer and
 * begins verification.
 */
export function switchPromotion(
  dataSource: DataSource,
  id: string,
  { moves }: { moves: boolean },
): Promise<'switched' | 'stale' | 'held' | 'frozen' | 'gone'> {
  return dataSource.transaction(async (manager) => {
    const [promotion] = await manager.sql<Locked[]>`
      select environment, release, kind, actor, pointer_seq as "pointerSeq", config_hash as "configHash", reason, plan->>'inFlight' as "inFlight"
      from promotion where id = ${id}::bigint and state = 'window' for update`;
    if (promotion === undefined) return 'gone';
    const { environment, release, kind } = promotion;
    const [now] = await manager.sql<
      { seq: number; release: string | null; hash: string; held: boolean; frozen: boolean }[]
    >`
      select coalesce((select max(seq) from environment_pointer where environment = ${environment}), 0) as seq,
             (select release from environment_pointer where environment = ${environment} order by seq desc limit 1) as release,
             coalesce((select hash from environment_config where environment = ${environment} order by seq desc limit 1), '') as hash,
             exists (select from promotion_hold where environment = ${environment} and release = ${release} and lifted_at is null) as held,
             exists (select from promotion_freeze where environment = ${environment} and lifted_at is null
                     and now() between starts_at and ends_at) as frozen`;
    if (now === undefined || (moves && now.seq !== promotion.pointerSeq) || now.hash !== promotion.configHash)
      return 'stale';
    if (now.held && kind !== 'hotfix') return 'held';
    if (now.frozen && kind !== 'rollback') return 'frozen';
    if (moves && now.release !== release)
      await point(manager, environment, now.seq, release, `promotion ${id}`, promotion.actor);
    await manager.sql`
      with switched as (
        update promotion set state = 'verifying', state_at = now(), switched_at = now(), detail = 'Switched.' where id = ${id}::bigint
        returning id, environment
      ), shown as (
        insert into event (environment, payload)
        select environment, jsonb_build_object('kind', 'promotion', 'environment', environment, 'promotionId', id::text, 'state', 'verifying')
        from switched
      )
      select count(*) from switched`;
    const cancelled = promotion.inFlight === 'cancel' ? await cancelOthers(manager, environment, release, id) : 0;
    const detail = { release, previous: now.release, reason: promotion.reason, cancelled };
    await appendAudit(manager, [
      { actor: promotion.actor, action: `${kind}.switch`, environment, subject: `promotion ${id}`, detail },
    ]);
    return 'switched';
  });
}

/**
 * One transaction: the pointer returns to `to`, what the release published since the switch is replaced by the versions
 * before, and the release is held. Without `to` every schedule of the environment pauses.
 */
export function rollBackPromotion(
  dataSource: DataSource,
  id: string,
  to: string | null,
  detail: string,
): Promise<boolean> {
  return dataSource.transaction(async (manager) => {
    const [promotion] = await manager.sql<{ environment: string; release: string; switchedAt: string }[]>`
      select environment, release, switched_at as "switchedAt" from promotion
      where id = ${id}::bigint and state = 'verifying' for update`;
    if (promotion === undefined) return false;
    const { environment, release, switchedAt } = promotion;
    const [current] = await manager.sql<{ seq: number; release: string }[]>`
      select seq, release from environment_pointer where environment = ${environment} order by seq desc limit 1`;
    let versions = 0;
    if (to !== null && current?.release === release) {
      await point(manager, environment, current.seq, to, `rollback of promotion ${id}`, 'Sluice');
      versions = await restoreVersions(manager, environment, release, switchedAt);
    }
    if (to === null) await manager.sql`update schedule set paused = true where environment = ${environment}`;
    await manager.sql`
      insert into promotion_hold (environment, release, reason, actor)
      values (${environment}, ${release}, ${`promotion ${id}: ${detail}`}, 'Sluice') on conflict do nothing`;
    await manager.sql`
      with ended as (
        update promotion set state = 'rolled_back', state_at = now(), finished_at = now(), detail = ${detail} where id = ${id}::bigint
        returning id, environment
      ), shown as (
        insert into event (environment, payload)
        select environment, jsonb_build_object('kind', 'promotion', 'environment', environment, 'promotionId', id::text, 'state', 'rolled_back')
        from ended
      )
      select count(*) from ended`;
    await appendAudit(manager, [
      {
        actor: 'Sluice',
        action: 'promotion.roll_back',
        environment,
        subject: `promotion ${id}`,
        detail: { release, to, versions, why: detail, paused: to === null },
      },
    ]);
    return true;
  });
}

async function point(
  manager: Db,
  environment: string,
  seq: number,
  release: string,
  why: string,
  actor: string,
): Promise<void> {
  await manager.sql`
    with moved as (
      insert into environment_pointer (environment, seq, release, actor) values (${environment}, ${seq}::int + 1, ${release}, ${`${actor}, ${why}`})
      returning 1
    ), shown as (
      insert into event (environment, payload)
      select ${environment}, jsonb_build_object('kind', 'release', 'environment', ${environment}::text, 'release', ${release}::text) from moved
    )
    select count(*) from moved`;
}

/** Runs that are under way on other releases end; those that wait to start too. */
async function cancelOthers(manager: Db, environment: string, release: string, id: string): Promise<number> {
  const runs = await manager.sql<{ id: string }[]>`
    select id::text from run
    where environment = ${environment} and state in ('queued', 'running') and release <> ${release} and not shadow`;
  await send(
    manager,
    runs.map((run) => ({ runId: run.id, kind: 'cancel', payload: { actor: `promotion ${id}` } })),
  );
  return runs.length;
}

/** Locations whose newest version came from this release since then show the version before again; none: nothing. */
async function restoreVersions(manager: Db, environment: string, release: string, since: string): Promise<number> {
  // Nothing that is taken up again here may be marked as garbage meanwhile.
  await manager.sql`select pg_advisory_xact_lock_shared(${VERSIONS_LOCK}::bigint)`;
  const rows = await manager.sql<object[]>`
    with wrong as (
      select p.location from path_pointer p join path_version v using (environment, version)
      where p.environment = ${environment} and v.release = ${release} and v.published_at >= ${since}::timestamptz
    ), before as (
      select distinct on (v.location) v.* from path_version v join wrong using (location) join run r on r.id = v.run_id
      where v.environment = ${environment} and not r.shadow and v.removed_at is null and not (v.release = ${release} and v.published_at >= ${since}::timestamptz)
      order by v.location, v.attempt_id desc
    ), restored as (
      update path_pointer p
      set version = b.version, manifest_hash = b.manifest_hash, run_id = b.run_id, attempt_id = b.attempt_id, published_at = now(),
          projected = false
      from before b where p.environment = ${environment} and p.location = b.location
      returning p.location
    ), removed as (
      delete from path_pointer p using wrong
      where p.environment = ${environment} and p.location = wrong.location and wrong.location not in (select location from before)
      returning p.location
    )
    select location from restored union all select location from removed`;
  return rows.length;
}
