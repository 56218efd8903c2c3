import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '#testing';
import { connectDatabase } from '../database.ts';
import { inTransaction } from '../statement.ts';
import { dueWork } from './glance.ts';

/* Each kind of thing that there may be to do, alone in an otherwise empty database: it is seen, and nothing else is. */

let database: TestDatabase;
let db: DataSource;
const NOW = Date.parse('2026-03-01T00:00:00Z');

beforeAll(async () => {
  database = await createTestDatabase();
  db = await connectDatabase(database.url);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

const ME = { id: 'me', kind: 'scheduler', host: 'h', pid: 1, ttlMs: 1000 } as const;
const IDLE = {
  inTime: true,
  triggers: false,
  parked: false,
  backfills: false,
  runs: false,
  waits: [],
  late: false,
  releases: {},
};
const QUIET = { alerts: false, follows: false, previews: false, promotions: false, verifications: false };

const run = (columns: string, values: string): string =>
  `insert into run (environment, pipeline, release, config_hash, trigger, why, params, max_active_runs, queue_order, ${columns})
   values ('dev', 'p', 'r', 'h', 'manual', 'w', '{}', 1, 1, ${values})`;
const wait = (kind: string, at: string): string =>
  `insert into task_wait (run_id, task_id, environment, kind, target, what, every_ms, on_timeout, since, next_check_at)
   values (1, 't', 'dev', '${kind}', '{}', 'w', 1000, 'fail', now(), '${at}')`;
const promotion = (state: string, told: string, finished: string): string =>
  `insert into promotion (environment, release, kind, state, pointer_seq, config_hash, plan, plan_hash, actor, told, finished_at)
   values ('dev', 'r', 'promote', '${state}', 1, 'h', '{}', 'h', 'a', '${told}', ${finished})`;
const process = (id: string, alive: string): string =>
  `insert into process values ('${id}', 'scheduler', 'x', 1, now(), now() + interval '${alive}')`;

async function seenWith(statements: readonly string[]): Promise<{ due: object; seen: object }> {
  let answer = { due: {}, seen: {} };
  const back = new Error('rolled back');
  await inTransaction(db, async (manager) => {
    // Only the table that is asked: not what its rows belong to.
    await manager.query('set local session_replication_role = replica');
    for (const statement of statements) await manager.query(statement);
    const { beside, ...due } = await dueWork(manager, ME, NOW, ['dev', 'test']);
    answer = { due, seen: beside };
    throw back;
  }).catch((error: unknown) => expect(error).toBe(back));
  return answer;
}

test.each<[what: string, statements: string[], due: object]>([
  ['nothing', [], {}],
  [
    'an end that a pipeline listens to',
    [
      `insert into unseen (environment, pipeline, source, path, run_id, state, depth) values ('dev', 'p', 'q', '', 1, 'success', 0)`,
    ],
    { triggers: true },
  ],
  ['a queued run', [run('state', `'queued'`)], { runs: true }],
  ['a run that nobody owns', [run('state', `'running'`)], { runs: true }],
  [
    'a run of a dead process',
    [process('it', '-1 second'), run('state, lease_owner', `'running', 'it'`)],
    { runs: true },
  ],
  ['a run of a live one', [process('it', '1 hour'), run('state, lease_owner', `'running', 'it'`)], {}],
  ['our own run', [run('state, lease_owner', `'running', 'me'`)], {}],
  ['a run that only waits', [run('state, parked', `'running', true`)], {}],
  [
    'a run that timed out waiting',
    [run('state, parked, timeout_at', `'running', true, '2026-02-28T23:59:59Z'`)],
    { parked: true },
  ],
  [
    'a run past its deadline',
    [run('state, lease_owner, deadline_at', `'running', 'me', now() - interval '1 second'`)],
    { late: true },
  ],
  [
    'a backfill',
    [
      `insert into backfill (environment, pipeline, range_start, range_end, reprocess, run_order, max_active, actor)
      values ('dev', 'p', now(), now() + interval '1 day', 'missing', 'oldest_first', 1, 'a')`,
    ],
    { backfills: true },
  ],
  ['a wait that is due', [wait('http', '2026-02-28T23:59:59Z')], { waits: ['http'] }],
  ['a wait that is not', [wait('http', '2026-03-01T00:00:01Z')], {}],
  [
    'what each environment runs, by its last pointer',
    [
      `insert into environment_pointer values ('dev', 1, 'old', 'a'), ('dev', 2, 'new', 'a'), ('prod', 1, 'other', 'a')`,
    ],
    { releases: { dev: 'new' } },
  ],
  ['that its own life had run out', [process('me', '-1 second')], { inTime: false }],
])('a scheduler sees %s', async (_what, statements, due) => {
  expect((await seenWith(statements)).due).toEqual({ ...IDLE, ...due });
});

test.each<[what: string, statements: string[], seen: object]>([
  ['nothing', [], {}],
  [
    'an alert to send',
    [
      `insert into alert_delivery (environment, pipeline, run_id, event, target, message, state) values ('dev', 'p', 1, 'run.failed', 't', '{}', 'pending')`,
    ],
    { alerts: true },
  ],
  [
    'a followed remote',
    [`insert into environment_follow (environment, remote, ref, actor) values ('dev', 'r', 'main', 'a')`],
    { follows: true },
  ],
  [
    'a preview',
    [
      `insert into preview (environment, parent, storage, actor, expires_at) values ('dev/x', 'dev', 's', 'a', now() + interval '1 day')`,
    ],
    { previews: true },
  ],
  ['an open promotion', [promotion('queued', 'queued', 'null')], { promotions: true }],
  ['a promotion whose end was not told', [promotion('failed', 'gates', 'now()')], { promotions: true }],
  ['one that was', [promotion('failed', 'failed', 'now()')], {}],
  [
    'a build that waits for an answer',
    [`insert into promotion_input (build_url, input, promotion_id) values ('http://ci/1', 'i', 1)`],
    { promotions: true },
  ],
  [
    'a promotion of another installation that nobody wants any more',
    [
      `insert into promotion_gate (promotion_id, position, kind, name, state, detail, evidence) values (1, 1, 'installation', 'n', 'pending', 'd', '{"promotion": "5"}')`,
    ],
    { promotions: true },
  ],
  [
    'a verification',
    [
      `insert into verification (run_id, environment, pipeline, shadow_run_id, actor, sampled) values (1, 'dev', 'p', 2, 'a', false)`,
    ],
    { verifications: true },
  ],
])('the loops beside it see %s', async (_what, statements, seen) => {
  expect((await seenWith(statements)).seen).toEqual({ ...QUIET, ...seen });
});
