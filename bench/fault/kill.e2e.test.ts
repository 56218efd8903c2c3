import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestProject } from '../../apps/standalone/standalone-fixture.ts';
import { checkHistory, RULE_NAMES, type Expected, type RuleName } from './check-history.ts';
import { checkStorage } from './check-storage.ts';
import { starts } from './example-project.ts';
import { loadHistory } from './history.ts';
import { runKills, type KillReport } from './kill-run.ts';
import { LIVE_RULES, LiveWatch } from './live-watch.ts';

const DAYS = 30;
/** Two tasks a day; each notes its start and end where no kill can take the note back. */
const PIPELINE = (effects: string): string => `
name: days
schedule: { cron: "@daily", start: 2026-01-01, end: 2026-01-30, catchup: true }
max_active_runs: 4
params: { effects: { type: string, default: ${effects} } }
paths:
  raw: { at: raw, partition: ds }
  sum: { at: sum, partition: ds }
tasks:
  load:
    run: |
      echo "start $DS load $SLUICE_FENCE" >> "$PARAM_EFFECTS"
      sleep 0.2
      echo "$DS" > "$PATH_RAW/day.txt"
      echo "end $DS load $SLUICE_FENCE" >> "$PARAM_EFFECTS"
    writes: [raw]
  sum:
    run: |
      echo "start $DS sum $SLUICE_FENCE" >> "$PARAM_EFFECTS"
      sleep 0.1
      cat "$PATH_RAW/day.txt" "$PATH_RAW/day.txt" > "$PATH_SUM/twice.txt"
      echo "end $DS sum $SLUICE_FENCE" >> "$PARAM_EFFECTS"
    reads: [raw]
    writes: [sum]
`;
const EXPECTED: Expected = {
  intervals: { days: starts({ from: '2026-01-01', to: '2026-01-30', stepDays: 1 }) },
  paths: { days: ['raw', 'sum'] },
  needs: { days: { sum: ['load'] } },
};

/** Each rule is broken on purpose, in a transaction that is rolled back: the checker must see just that. */
const DOCTORED: [RuleName, string][] = [
  [
    'one successful run per interval',
    `update run set interval_start = interval_start + interval '1 day', interval_end = interval_end + interval '1 day' where id = 3`,
  ],
  [
    'runs follow their states',
    `update event set payload = jsonb_set(payload, '{state}', '"queued"') where run_id = 3 and payload->>'state' = 'running'`,
  ],
  [
    'task runs follow their states',
    `update event set payload = jsonb_set(payload, '{taskRuns,0,state}', '"failed"') where id = (select min(id) from event where run_id = 3 and payload->>'kind' = 'tasks')`,
  ],
  ['an ended run has no open task run', `update task_run set state = 'retrying' where run_id = 3 and task_id = 'sum'`],
  [
    'an ended task run has no live attempt',
    `update attempt set state = 'running' where run_id = 3 and task_id = 'sum' and state = 'success'`,
  ],
  ['attempts rise', `update attempt set fence = 0, number = 7 where run_id = 3 and task_id = 'sum' and number = 1`],
  [
    'attempts never overlap',
    `insert into attempt (run_id, task_id, map_index, number, fence, state, worker, queued_at, started_at, finished_at)
     select run_id, task_id, map_index, number + 1, fence + 1, 'lost', worker, started_at, started_at, finished_at from attempt
     where run_id = 3 and task_id = 'sum' and state = 'success'`,
  ],
  [
    'a success is one attempt, the last',
    `update attempt set state = 'failed' where run_id = 3 and task_id = 'sum' and state = 'success'`,
  ],
  ['what is published was made by a success', `update path_version set attempt_id = 0 where run_id = 3`],
  ['one pointer per interval and path', `delete from path_pointer where run_id = 3 and path = 'sum'`],
  [
    'no task begins before those that it needs',
    `update attempt a set queued_at = b.queued_at from attempt b
     where a.run_id = 3 and a.task_id = 'sum' and a.number = 1 and b.run_id = 3 and b.task_id = 'load' and b.number = 1`,
  ],
  ['no pool holds more than its slots', `update attempt set queued_at = (select min(queued_at) from attempt)`],
  ['no slot is held at rest', `update pool set used = 1 where name = 'default'`],
];

/** The same for what is looked at while a cluster goes on. */
const DOCTORED_LIVE: [string, string][] = [
  [
    'a run that goes on has an owner that lives',
    `update run set state = 'running', finished_at = null, lease_owner = 'nobody' where id = 3`,
  ],
  [
    'what runs is held by a worker that lives',
    `insert into process (id, kind, host, pid, started_at, alive_until) values ('an API', 'api', 'h', 1, now() - interval '1 hour', now() + interval '1 hour');
     update attempt set state = 'running', finished_at = null, worker = 'nobody' where run_id = 3 and task_id = 'sum' and state = 'success'`,
  ],
  ['what has ended stays as it ended', `update task_run set state = 'failed' where run_id = 3 and task_id = 'sum'`],
];

let project: TestProject;
let report: KillReport;
const foundLive = new Map<string, readonly string[]>();
const found = new Map<RuleName, RuleName[]>();
const storageProblems: string[][] = [];
let effects: string;
beforeAll(async () => {
  project = await TestProject.create({});
  effects = join(project.folder, 'effects.log');
  await project.write('dags/days.yaml', PIPELINE(effects));
  const storage = join(project.home, 'storage', 'dev');
  report = await runKills({
    project,
    storage,
    expected: EXPECTED,
    kills: 3,
    seed: 6,
    say: () => undefined,
    timeoutMs: 90_000,
    atRest: async (client, history) => {
      for (const [rule, statement] of DOCTORED) {
        await client.query('begin');
        await client.query(statement);
        const violations = checkHistory(await loadHistory(client), EXPECTED);
        await client.query('rollback');
        found.set(rule, [...new Set(violations.map((violation) => violation.rule))]);
      }
      for (const [rule, statement] of DOCTORED_LIVE) {
        await client.query('begin');
        const watch = new LiveWatch({ once: async (text) => (await client.query<never>(text)).rows }, 0);
        await watch.look();
        await client.query(statement);
        await watch.close();
        await client.query('rollback');
        foundLive.set(rule, watch.problems);
      }
      const file = join(storage, 'days', 'sum', 'ds=2026-01-03', 'twice.txt');
      const before = await readFile(file);
      await rm(file);
      storageProblems.push((await checkStorage(storage, history.pointers)).problems);
      await writeFile(file, 'other');
      await writeFile(join(storage, 'days', 'sum', 'ds=2026-02-01'), '');
      storageProblems.push((await checkStorage(storage, history.pointers)).problems);
      await writeFile(file, before);
    },
  });
}, 150_000);
afterAll(() => project.destroy());

describe('kill -9 of the whole process, three times during a catch-up', () => {
  test('every interval is there exactly once, the history is clean, no process is left or doubled', () => {
    expect(report.violations).toEqual([]);
    expect(report).toMatchObject({
      runs: DAYS,
      taskRuns: 2 * DAYS,
      attempts: { success: 2 * DAYS },
      storage: { partitions: 2 * DAYS, files: 2 * DAYS },
    });
    expect(report.kills).toHaveLength(3);
    expect(report.toldStates).toBeGreaterThanOrEqual(DAYS * 7);
    expect(report.processLooks).toBeGreaterThan(4);
  });

  test('the kills did interrupt tasks, and no task went on after the next try had started', async () => {
    expect(report.attempts['lost']).toBeGreaterThan(0);
    const open = new Map<string, string>();
    const ended = new Map<string, number>();
    for (const line of (await readFile(effects, 'utf8')).trim().split('\n')) {
      const [what = '', ds = '', task = '', fence = ''] = line.split(' ');
      const key = `${ds} ${task}`;
      if (what === 'start') open.set(key, fence);
      else {
        expect([line, open.get(key)]).toEqual([line, fence]);
        ended.set(key, (ended.get(key) ?? 0) + 1);
      }
    }
    expect(ended.size).toBe(2 * DAYS);
  });
});

describe('the checker', () => {
  test('has a doctored history for every rule', () => {
    expect(DOCTORED.map(([rule]) => rule).sort()).toEqual([...RULE_NAMES].sort());
  });
  test.each(DOCTORED)('sees when this is broken: %s', (rule) => {
    expect(found.get(rule)).toContain(rule);
  });
  test('has a doctored state for every rule about what goes on, and sees when it is broken', () => {
    expect(DOCTORED_LIVE.map(([rule]) => rule).sort()).toEqual([...LIVE_RULES].sort());
    for (const [rule] of DOCTORED_LIVE)
      expect(foundLive.get(rule)).toEqual([expect.stringMatching(`^${rule}: (run 3|attempt|task run 3)`)]);
  });
  test('sees missing, changed and stray files', () => {
    expect(storageProblems[0]).toEqual(expect.arrayContaining([expect.stringContaining('its manifest twice.txt')]));
    expect(storageProblems[1]).toEqual([
      'days/sum/ds=2026-01-03/twice.txt is not what was published',
      'days/sum/ds=2026-02-01 belongs to no interval',
    ]);
  });
});
