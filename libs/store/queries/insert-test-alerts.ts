import type { AlertInsert } from '#core';
import type { Db } from '../statement.ts';

/** Puts alerts into the outbox and returns the ids of their deliveries, in order. */
export async function insertTestAlerts(db: Db, alerts: readonly AlertInsert[]): Promise<string[]> {
  const rows = await db.sql<{ id: string }[]>`
    with inserted as (
      insert into alert_delivery (environment, pipeline, run_id, event, target, message, state, detail)
      select environment, pipeline, "runId", event, target, message, state, detail
      from jsonb_to_recordset(${JSON.stringify(alerts)}::jsonb) as t (environment text, pipeline text, "runId" bigint, event text, target text,
             message jsonb, state text, detail text)
      returning id
    )
    select id::text from inserted order by id`;
  return rows.map((row) => row.id);
}
