import type { DueWork, ProcessBeat } from '#core';
import type { Db } from '../statement.ts';
import { BEAT, beatValues, IN_TIME } from './processes.ts';

/**
 * One statement in place of a dozen: what is idle asks once a second whether there is anything to do, and says with that that it lives. Each line says no
 * more than that it may be worth looking; the looks themselves decide, and happen every thirty seconds whatever is said here.
 */

/** Instants that tasks wait for are the engine's clock's, the others the database's. */
const DUE_WORK = `${BEAT}
    select ${IN_TIME},
           exists (select from unseen where not asked) as triggers,
           exists (select from run where parked and timeout_at <= to_timestamp($8::float8 / 1000)) as parked,
           exists (select from backfill where state = 'running') as backfills,
           exists (select from run where state = 'queued')
             or exists (
               select from run r
               where r.state = 'running' and not r.parked and r.lease_owner is distinct from $1
                 and not coalesce((select p.alive_until > now() from process p where p.id = r.lease_owner), false)
             ) as runs,
           array(select distinct kind from task_wait where next_check_at <= to_timestamp($8::float8 / 1000)) as waits,
           exists (select from run where deadline_at < now() and state in ('queued', 'running')) as late,
           (
             select coalesce(jsonb_object_agg(e.name, p.release), '{}')
             from unnest($9::text[]) e (name),
                  lateral (select release from environment_pointer where environment = e.name order by seq desc limit 1) p
           ) as releases,
           jsonb_build_object(
             'alerts', exists (select from alert_delivery where state = 'pending' and next_try_at <= now()),
             'follows', exists (select from environment_follow),
             'previews', exists (select from preview where removed_at is null),
             'promotions', exists (select from promotion where finished_at is null)
               or exists (select from promotion where told <> state)
               or exists (select from promotion_input where outcome is null)
               or exists (
                 select from promotion_gate where kind = 'installation' and state = 'pending' and evidence ? 'promotion'
               ),
             'verifications', exists (select from verification where finished_at is null)
           ) as beside`;

export async function dueWork(
  db: Db,
  process: ProcessBeat,
  now: number,
  environments: readonly string[],
): Promise<DueWork> {
  const [row] = await db.query<[DueWork]>(DUE_WORK, [...beatValues(process), now, environments]);
  return row;
}
