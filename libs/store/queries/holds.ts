import type { DataSource } from 'typeorm';
import type { FreezeRecord, HoldRecord } from '#core';
import type { Db } from '../statement.ts';
import { appendAudit } from './audit.ts';

/** Holds on releases and freezes of environments. */

export function holds(db: Db, environment: string): Promise<HoldRecord[]> {
  return db.sql<HoldRecord[]>`
    select id::text, environment, release, reason, actor, at from promotion_hold
    where environment = ${environment} and lifted_at is null order by id`;
}

export function setHold(
  dataSource: DataSource,
  environment: string,
  release: string,
  reason: string,
  actor: string,
): Promise<void> {
  return dataSource.transaction(async (manager) => {
    await manager.sql`
      insert into promotion_hold (environment, release, reason, actor) values (${environment}, ${release}, ${reason}, ${actor})
      on conflict do nothing`;
    await tellStand(manager, environment);
    await appendAudit(manager, [{ actor, action: 'hold.set', environment, subject: release, detail: { reason } }]);
  });
}

export function liftHold(
  dataSource: DataSource,
  environment: string,
  release: string,
  actor: string,
): Promise<boolean> {
  return dataSource.transaction(async (manager) => {
    const lifted = await manager.sql<object[]>`
      with lifted as (
        update promotion_hold set lifted_at = now(), lifted_by = ${actor}
        where environment = ${environment} and release = ${release} and lifted_at is null
        returning 1
      )
      select * from lifted`;
    if (lifted.length === 0) return false;
    await tellStand(manager, environment);
    await appendAudit(manager, [{ actor, action: 'hold.lift', environment, subject: release, detail: {} }]);
    return true;
  });
}

/** In force, or still to come. */
export function freezes(db: Db, environment: string): Promise<FreezeRecord[]> {
  return db.sql<FreezeRecord[]>`
    select id::text, environment, starts_at as "startsAt", ends_at as "endsAt", reason, actor from promotion_freeze
    where environment = ${environment} and lifted_at is null and ends_at > now() order by starts_at`;
}

export function addFreeze(dataSource: DataSource, given: Omit<FreezeRecord, 'id'>): Promise<string> {
  const { environment, startsAt, endsAt, reason, actor } = given;
  return dataSource.transaction(async (manager) => {
    const [added] = await manager.sql<{ id: string }[]>`
      with added as (
        insert into promotion_freeze (environment, starts_at, ends_at, reason, actor)
        values (${environment}, ${startsAt}::timestamptz, ${endsAt}::timestamptz, ${reason}, ${actor})
        returning id
      )
      select id::text from added`;
    const id = added?.id ?? '';
    await tellStand(manager, environment);
    const detail = { startsAt, endsAt, reason };
    await appendAudit(manager, [{ actor, action: 'freeze.add', environment, subject: `freeze ${id}`, detail }]);
    return id;
  });
}

export function liftFreeze(dataSource: DataSource, environment: string, id: string, actor: string): Promise<boolean> {
  return dataSource.transaction(async (manager) => {
    const lifted = await manager.sql<object[]>`
      with lifted as (
        update promotion_freeze set lifted_at = now(), lifted_by = ${actor}
        where id = ${id}::bigint and environment = ${environment} and lifted_at is null
        returning 1
      )
      select * from lifted`;
    if (lifted.length === 0) return false;
    await tellStand(manager, environment);
    await appendAudit(manager, [{ actor, action: 'freeze.lift', environment, subject: `freeze ${id}`, detail: {} }]);
    return true;
  });
}

/** For screens. */
async function tellStand(manager: Db, environment: string): Promise<void> {
  const payload = JSON.stringify({ kind: 'stand', environment });
  await manager.sql`
    with shown as (
      insert into event (environment, payload) values (${environment}, ${payload}::jsonb) returning 1
    )
    select count(*) from shown`;
}
