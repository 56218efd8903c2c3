import type { DataSource } from 'typeorm';
import type { Db } from '../statement.ts';
import { appendAudit } from './audit.ts';
import { send } from './runs.ts';
import { lockVersions, takeBackVersions } from './take-back-versions.ts';

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
 * One transaction: locks the promotion, looks once more at pointer, configuration, rejections, hold, freeze and window,
 * moves the pointer and begins verification. A rollback takes back what was published since.
 */
export function switchPromotion(
  dataSource: DataSource,
  id: string,
  { moves, isOpen }: { moves: boolean; isOpen: () => boolean },
): Promise<'switched' | 'stale' | 'rejected' | 'held' | 'closed' | 'gone'> {
  return dataSource.transaction(async (manager) => {
    await lockVersions(manager);
    const [promotion] = await manager.sql<Locked[]>`
      select environment, release, kind, actor, pointer_seq as "pointerSeq", config_hash as "configHash", reason, plan->>'inFlight' as "inFlight"
      from promotion where id = ${id}::bigint and state = 'window' for update`;
    if (promotion === undefined) return 'gone';
    const { environment, release, kind } = promotion;
    const [now] = await manager.sql<
      { seq: number; release: string | null; hash: string; rejected: boolean; held: boolean; frozen: boolean }[]
    >`
      select coalesce((select max(seq) from environment_pointer where environment = ${environment}), 0) as seq,
             (select release from environment_pointer where environment = ${environment} order by seq desc limit 1) as release,
             coalesce((select hash from environment_config where environment = ${environment} order by seq desc limit 1), '') as hash,
             exists (select from promotion_approval where promotion_id = ${id}::bigint and decision = 'reject') as rejected,
             exists (select from promotion_hold where environment = ${environment} and release = ${release} and lifted_at is null) as held,
             exists (select from promotion_freeze where environment = ${environment} and lifted_at is null
                     and now() between starts_at and ends_at) as frozen`;
    if (now === undefined || (moves && now.seq !== promotion.pointerSeq) || now.hash !== promotion.configHash)
      return 'stale';
    if (now.rejected) return 'rejected';
    if (now.held && kind !== 'hotfix') return 'held';
    if ((now.frozen || !isOpen()) && kind !== 'rollback') return 'closed';
    let versions = 0;
    if (moves && now.release !== release) {
      if (kind === 'rollback') versions = await takeBackVersions(manager, environment, release);
      await point(manager, environment, now.seq, release, `promotion ${id}`, promotion.actor);
    }
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
    const detail = {
      ...{ release, previous: now.release, reason: promotion.reason, cancelled },
      ...(kind === 'rollback' ? { versions } : {}),
    };
    await appendAudit(manager, [
      { actor: promotion.actor, action: `${kind}.switch`, environment, subject: `promotion ${id}`, detail },
    ]);
    return 'switched';
  });
}

/**
 * One transaction: the pointer returns to `to`, what was published since the environment left it is replaced by the
 * versions before, and the release is held. Without `to` every schedule of the environment pauses.
 */
export function rollBackPromotion(
  dataSource: DataSource,
  id: string,
  to: string | null,
  detail: string,
): Promise<boolean> {
  return dataSource.transaction(async (manager) => {
    await lockVersions(manager);
    const [promotion] = await manager.sql<{ environment: string; release: string; inFlight: 'finish' | 'cancel' }[]>`
      select environment, release, plan->>'inFlight' as "inFlight" from promotion
      where id = ${id}::bigint and state = 'verifying' for update`;
    if (promotion === undefined) return false;
    const { environment, release, inFlight } = promotion;
    const [current] = await manager.sql<{ seq: number; release: string }[]>`
      select seq, release from environment_pointer where environment = ${environment} order by seq desc limit 1`;
    let [versions, cancelled] = [0, 0];
    if (to !== null && current?.release === release) {
      versions = await takeBackVersions(manager, environment, to);
      await point(manager, environment, current.seq, to, `rollback of promotion ${id}`, 'Sluice');
      if (inFlight === 'cancel') cancelled = await cancelOthers(manager, environment, to, id);
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
        detail: { release, to, versions, cancelled, why: detail, paused: to === null },
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
