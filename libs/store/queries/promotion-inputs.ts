import type { DataSource } from 'typeorm';
import type { AlertInsert, BuildInput, InputAnswer, WaitingBuild } from '#core';
import type { Db } from '../statement.ts';
import { insertAlerts } from './alerts.ts';

/** Builds that wait for promotions. Those that still do are few: promotion_input_waits. */

const WAITING = `i.promotion_id::text as "promotionId", i.build_url as "buildUrl", i.input`;

export async function awaitInput(db: Db, id: string, { buildUrl, input }: BuildInput): Promise<void> {
  await db.sql`
    with awaited as (
      insert into promotion_input as i (build_url, input, promotion_id) values (${buildUrl}, ${input}, ${id}::bigint)
      on conflict (build_url, input) do update
      set promotion_id = excluded.promotion_id, outcome = null, asked_at = now()
      where i.promotion_id <> excluded.promotion_id
      returning 1
    )
    select count(*) from awaited`;
}

export async function promotionIdOfInput(db: Db, { buildUrl, input }: BuildInput): Promise<string | null> {
  const [row] = await db.sql<{ id: string }[]>`
    select promotion_id::text as id from promotion_input where build_url = ${buildUrl} and input = ${input}`;
  return row?.id ?? null;
}

export function inputsToAnswer(db: Db): Promise<WaitingBuild[]> {
  return db.sql<WaitingBuild[]>`
    select ${() => WAITING} from promotion_input i join promotion p on p.id = i.promotion_id
    where i.outcome is null and p.state not in ('queued', 'gates', 'approval')
    order by i.asked_at
    limit 100`;
}

/** One transaction, guarded by the outcome: of several callers one writes the alert. */
export function answerInput(
  dataSource: DataSource,
  { buildUrl, input, promotionId }: WaitingBuild,
  answer: InputAnswer,
  alert: AlertInsert,
): Promise<boolean> {
  return dataSource.transaction(async (manager) => {
    const [answered] = await manager.sql<{ input: string }[]>`
      with answered as (
        update promotion_input set outcome = ${answer}
        where build_url = ${buildUrl} and input = ${input} and promotion_id = ${promotionId}::bigint and outcome is null
        returning input
      )
      select input from answered`;
    if (answered === undefined) return false;
    await insertAlerts(manager, [alert]);
    return true;
  });
}

export function takeInputsToLookAt(db: Db, everyMs: number): Promise<WaitingBuild[]> {
  return db.sql<WaitingBuild[]>`
    with due as (
      select build_url, input from promotion_input
      where outcome is null and looked_at <= now() - ${everyMs}::float8 * interval '1 millisecond'
      order by looked_at
      limit 20
      for update skip locked
    ), taken as (
      update promotion_input i set looked_at = now() from due where i.build_url = due.build_url and i.input = due.input
      returning ${() => WAITING}
    )
    select * from taken`;
}

export async function isAwaitedElsewhere(db: Db, id: string, { buildUrl, input }: BuildInput): Promise<boolean> {
  const others = await db.sql<unknown[]>`
    select from promotion_input
    where promotion_id = ${id}::bigint and outcome is null and (build_url, input) <> (${buildUrl}, ${input})
    limit 1`;
  return others.length > 0;
}

/** An answer that waits in the outbox has nowhere to go any more. */
export async function closeInput(
  db: Db,
  { buildUrl, input }: BuildInput,
  outcome: 'answered_there' | 'ended',
): Promise<void> {
  await db.sql`
    with closed as (
      update promotion_input set outcome = coalesce(outcome, ${outcome})
      where build_url = ${buildUrl} and input = ${input}
      returning promotion_id
    ), delivered as (
      update alert_delivery d
      set state = 'sent', sent_at = now(), in_doubt = false, detail = 'the build went on by itself'
      from closed c
      where d.run_id = -c.promotion_id and d.target = 'jenkins:' || ${buildUrl} and d.state = 'pending' and d.message->'input'->>'id' = ${input}
      returning 1
    )
    select count(*) from delivered`;
}
