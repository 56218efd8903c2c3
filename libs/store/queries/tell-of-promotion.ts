import type { DataSource } from 'typeorm';
import type { AlertEvent, AlertInsert, UntoldPromotion } from '#core';
import type { Db } from '../statement.ts';
import { insertAlerts } from './alerts.ts';

/** Who is told of promotions: found by comparing what was told with how each one stands, whoever moved it there. */

/** A further approval is news as well, though the promotion goes on waiting. */
const CHANGE = `case when p.state <> 'approval' then p.state
  else 'approval/' || (select count(*) from promotion_approval a where a.promotion_id = p.id) end`;

/** Walks promotion_untold, which those that wait for approval are always in. */
export function untoldPromotions(db: Db): Promise<UntoldPromotion[]> {
  return db.sql<UntoldPromotion[]>`
    select id::text, told, change
    from (select p.id, p.told, ${() => CHANGE} as change from promotion p where p.told <> p.state) as standing
    where told <> change
    order by standing.id
    limit 100`;
}

export function alertsOfPromotion(db: Db, id: string): Promise<{ event: AlertEvent; target: string }[]> {
  return db.sql<{ event: AlertEvent; target: string }[]>`
    select event, target from alert_delivery where run_id = -(${id}::bigint) and state <> 'muted' order by alert_delivery.id`;
}

/** One transaction, guarded by what was told before: of several callers one writes the alerts, after a crash nobody wrote half of them. */
export function tellOfPromotion(
  dataSource: DataSource,
  { id, told, change }: UntoldPromotion,
  alerts: readonly AlertInsert[],
): Promise<boolean> {
  return dataSource.transaction(async (manager) => {
    const [noted] = await manager.sql<{ id: string }[]>`
      with noted as (
        update promotion p set told = ${change}
        where p.id = ${id}::bigint and p.told = ${told} and ${() => CHANGE} = ${change}
        returning p.id
      )
      select id::text from noted`;
    if (noted === undefined) return false;
    if (alerts.length > 0) await insertAlerts(manager, alerts);
    return true;
  });
}
