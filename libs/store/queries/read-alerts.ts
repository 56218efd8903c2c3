import type { AlertEvent } from '#core';
import type { Db } from '../statement.ts';

export interface AlertRow {
  readonly id: string;
  readonly at: string;
  readonly event: AlertEvent;
  readonly environment: string;
  readonly pipeline: string;
  readonly runId: string;
  /** Null: it is about a run. */
  readonly promotionId: string | null;
  readonly target: string;
  readonly state: 'pending' | 'sent' | 'rejected' | 'muted';
  readonly tries: number;
  readonly title: string;
  readonly detail: string | null;
  readonly sentAt: string | null;
  readonly nextTryAt: string | null;
}

const COLUMNS = `id::text, created_at as at, event, environment, pipeline, run_id::text as "runId",
  case when run_id < 0 then (-run_id)::text end as "promotionId", target, state, tries,
  coalesce(message->>'title', '') as title, detail, sent_at as "sentAt", case when state = 'pending' then next_try_at end as "nextTryAt"`;

/** Deliveries, newest first, older than `before` when that is given; `environment` null: of all that are `among` these, null: of all. */
export function readAlerts(
  db: Db,
  filter: { environment: string | null; among: readonly string[] | null; before: string | null; limit: number },
): Promise<AlertRow[]> {
  return db.query(
    `select ${COLUMNS}
     from alert_delivery
     where ($1::text is null or environment = $1) and ($2::bigint is null or alert_delivery.id < $2)
       and ($4::text[] is null or environment = any($4) or split_part(environment, '/', 1) = any($4))
     order by alert_delivery.id desc
     limit $3`,
    [filter.environment, filter.before, filter.limit, filter.among],
  );
}

export function readAlertsByIds(db: Db, ids: readonly string[]): Promise<AlertRow[]> {
  return db.query(`select ${COLUMNS} from alert_delivery where id = any($1::bigint[]) order by alert_delivery.id`, [
    ids,
  ]);
}
