import type { WaitKind } from '#core';
import type { Db } from '../statement.ts';

export interface WaitRow {
  readonly taskId: string;
  readonly kind: WaitKind;
  readonly what: string;
  readonly since: string;
  readonly checkedAt: string | null;
  readonly nextCheckAt: string | null;
  readonly timeoutAt: string | null;
  readonly onTimeout: 'fail' | 'skip';
  readonly detail: string | null;
  readonly groups: readonly string[];
  readonly calledRun: string | null;
  /** Of a wait for the interval before. */
  readonly tasks: readonly string[];
}

/** What tasks of a run wait for, as far as that has not ended. */
export function readWaits(db: Db, runId: string): Promise<WaitRow[]> {
  return db.sql<WaitRow[]>`
    select task_id as "taskId", kind, what, since, checked_at as "checkedAt", next_check_at as "nextCheckAt", timeout_at as "timeoutAt",
           on_timeout as "onTimeout", detail, coalesce(target -> 'groups', '[]') as groups, coalesce(target -> 'tasks', '[]') as tasks,
           case when kind = 'call' then target ->> 'runId' end as "calledRun"
    from task_wait
    where run_id = ${runId}::bigint and outcome is null
    order by task_id`;
}
