import { describe, expect, test } from '@jest/globals';
import { parsePipeline } from './index.ts';

/** `line:column message > hint` of each problem. */
function problemsOf(text: string): string[] {
  return parsePipeline('p.yaml', text).problems.map(
    ({ line, column, message, hint }) => `${line}:${column} ${message} > ${hint}`,
  );
}

/** The problems of `lines` put below a name. */
const below = (...lines: string[]): string[] => problemsOf(['name: p', ...lines].join('\n'));
const ONE_TASK = 'tasks: { a: { run: x } }';

describe('messages', () => {
  test.each<[string, string[], string[]]>([
    [
      'a typo in a key',
      ['tasks: { a: { run: x, need: [b] } }'],
      ['2:23 The key "need" in tasks.a is not known. > Did you mean "needs"?'],
    ],
    [
      "Airflow's name for a key",
      ['tasks: { a: { run: x, trigger_rule: all_done } }'],
      ['2:23 The key "trigger_rule" in tasks.a is not known. > Did you mean `when`?'],
    ],
    [
      "Airflow's name at the top",
      [ONE_TASK, 'start_date: 2026-01-01'],
      ['3:1 The key "start_date" is not known. > Did you mean `schedule: { start: … }`?'],
    ],
    [
      'checks over rows that cannot be',
      [
        'paths: { raw: raw }',
        'tasks:',
        '  a:',
        '    run: x',
        '    writes: [raw]',
        '    checks:',
        '      - { not_null: id, unique: id }',
        '      - { name: x }',
        '      - { rows: { last: 3 } }',
        '      - { range: { column: a, min: 2, max: 1 } }',
        '      - { fresh: { column: a, within: 1d }, on_fail: quarantine }',
        '      - { not_null: id, of: b }',
        '      - { expr: "outputs.n > 0", on_fail: quarantine }',
        '      - { unique: id, name: twice }',
        '      - { not_null: id, name: twice }',
        '      - { sql: "select ${{ ds }}" }',
        '  c: { run: x, checks: [{ not_null: id }] }',
      ],
      [
        '8:9 The check has both not_null and unique; expected exactly one of expr, not_null, unique, range, values, rows, fresh, sql. > Split it into two checks.',
        '9:9 The check looks at nothing; expected exactly one of expr, not_null, unique, range, values, rows, fresh, sql. > Add `expr: …`.',
        '10:17 last and within belong together. > Write for example { last: 7, within: 0.5 }.',
        '11:18 min (2) is above max (1), so nothing passes. > Swap them.',
        '12:54 fresh says nothing about single rows; expected fail or warn. > Rows are put aside by not_null, unique, range, values and sql.',
        '13:29 The check looks at the path "b", which the task does not write. > Add `of:` with one of raw.',
        '14:43 An expression says nothing about single rows; expected fail or warn. > Rows are put aside by not_null, unique, range, values and sql.',
        '16:9 A second check of this task is called "twice". > Give each a `name` of its own.',
        "17:16 A check takes no ${{ }}. > Use getvariable('PARAM_<NAME>') or getvariable('DS').",
        '18:25 The check not_null looks at rows, but the task writes no path. > Add `writes: […]`.',
      ],
    ],
    [
      'a cache where nothing tells whether it is good',
      ['tasks: { a: { run: x, network: true, cache: true } }', 'finally: { b: { run: x, cache: { files: [a] } } }'],
      [
        '2:38 Task "a" has a cache, and network: nothing tells whether what it reads elsewhere has changed. > Remove one of them.',
        '3:25 Task "b" stands under finally, whose tasks always run; cache has no meaning there. > Remove it.',
      ],
    ],
    [
      'a key of a later version',
      ['tasks: { a: { templates: x } }'],
      ['2:15 The key "templates" in tasks.a is not yet supported. > Use `${{ }}` in `run`, `env`, `paths` and `sql`.'],
    ],
    [
      'replicas where one process executes all, or none does',
      [
        'tasks:',
        '  a: { sql: select 1, replicas: 2 }',
        '  b: { approve: Go on?, replicas: 2 }',
        '  c: { run: x, replicas: { min: 4, max: 2 } }',
        '  d: { run: x, replicas: 0 }',
        '  e: { run: x, replicas: { min: 2 } }',
        '  f: { run: x, replicas: 2, env: { RANK: 0, RANKS: 1 }, secrets: [MASTER_ADDR] }',
      ],
      [
        '3:23 replicas has no meaning with sql, which one process executes. > Remove it, or use `matrix` to fan the task out.',
        '4:25 replicas has no meaning with approve, which executes nothing. > Move it to the task that comes next.',
        '5:26 min is 4, max is 2; expected min to be no more than max. > Write { min: 2, max: 4 }.',
        '6:26 tasks.d.replicas is 0; expected a whole number from 1 to 1000. > For example: 2.',
        '7:16 tasks.e.replicas has no "max". > Add `max: …`.',
        '8:36 The variable "RANK" is set for each replica. > Choose another name.',
        '8:67 The variable "MASTER_ADDR" is set for each replica. > Choose another name.',
      ],
    ],
    [
      'a request whose host is a parameter',
      ['params: { h: { type: string } }', 'tasks: { a: { http: "https://${{ params.h }}/x" } }'],
      [
        '3:21 The address "https://${{ params.h }}/x" has no fixed beginning; expected http:// or https:// and a host, or ${{ env.vars.<name> }}. > Write it out, such as https://example.org/orders.',
      ],
    ],
    [
      'a request that begins with a parameter',
      ['params: { h: { type: string } }', 'tasks: { a: { http: "${{ params.h }}/x" } }'],
      [
        '3:22 The address begins with "params.h"; only env.vars.<name> may say whom is asked. > Write the scheme and the host out, or put them under `vars:` of environments/<name>.yaml.',
      ],
    ],
    [
      'a host that a value could go on with',
      ['tasks: { a: { http: "${{ env.vars.api }}.x" } }'],
      ['2:41 The address goes on with ".x" behind its host; expected "/" or "?". > Write ${{ env.vars.<name> }}/….'],
    ],
    [
      'secrets of a request in the file, and one that the task does not have',
      [
        'tasks: { a: { http: { url: "https://u:p@a.example", headers: { Authorization: x, Host: b }, bearer: TOKN }, secrets: [TOKEN] } }',
      ],
      [
        '2:28 The address holds a user or a password. > Name a secret in `bearer:` or `headers:` instead.',
        '2:64 The header "Authorization" would hold a secret in the file. > Name the secret instead: bearer: API_TOKEN, or Authorization: { secret: API_TOKEN }.',
        '2:82 The header "Host" is set by the request itself. > Remove it.',
        '2:101 The secret "TOKN" is not among the secrets of task "a". > Did you mean "TOKEN"?',
      ],
    ],
    [
      'a request that is saved nowhere and sends two things',
      ['tasks: { a: { http: { url: "https://a.example", method: GET, json: 1, body: x, save: raw/../x } } }'],
      [
        '2:71 http has both json and body; expected one of them. > Remove one.',
        '2:86 save is "raw/../x", but the task writes no path "raw". > Add it to the task: `writes: [raw]`.',
        '2:86 save is "raw/../x"; expected a path of `writes` and a plain file name below it. > For example: raw/orders.json.',
      ],
    ],
    [
      'a key of a request that is none',
      ['tasks: { a: { http: { url: "https://a.example", expect: { stats: 200 } } } }'],
      ['2:59 The key "stats" in tasks.a.http.expect is not known. > Did you mean "status"?'],
    ],
    [
      'a gate that asks although it asks nobody',
      [
        `tasks:
  a: { run: x, gate: { expr: "true", groups: [leads] } }
  b: { run: x, matrix: { n: [1, 2] }, gate: { expr: "matrix.n > 1", on_fail: needs_approval } }`,
      ],
      [
        '3:38 groups has no meaning with on_fail: fail, which asks nobody. > Remove it, or write `on_fail: needs_approval`.',
      ],
    ],
    [
      'the second of several crons',
      [ONE_TASK, 'schedule: { cron: ["@daily", "61 * * * *"], jitter: 2d }'],
      [
        '3:30 Cron: the minute "61" is not valid; expected 0-59, as values (1,2), ranges (1-5) or steps (*/15). > Write five fields: minute hour day-of-month month day-of-week, for example "30 2 * * *".',
        '3:53 schedule.jitter is "2d"; expected at most 1d. > Write a shorter time.',
      ],
    ],
    [
      'a moment that is none, beside a cron',
      [ONE_TASK, 'schedule: { cron: "@daily", at: [2026-02-30] }'],
      ['3:29 schedule has both cron and at; expected one of them. > Remove one.'],
    ],
    [
      'a moment that is none',
      [ONE_TASK, 'schedule: { at: [2026-02-28, 2026-02-30] }'],
      ['3:30 schedule.at is "2026-02-30", which is not a day of the calendar. > Write a date such as 2026-01-31.'],
    ],
    [
      'a need of nobody',
      ['tasks: { extract: { run: x }, b: { run: x, needs: [extrct] } }'],
      ['2:52 Task "b" needs "extrct", which does not exist. > Did you mean "extract"?'],
    ],
    [
      'a duration without a unit',
      ['tasks: { a: { run: x, timeout: 30 } }'],
      [
        '2:32 tasks.a.timeout is 30; expected a duration such as 90s, 15m, 1h30m, 2d or PT15M. > Add the unit: 30s, 30m or 30h.',
      ],
    ],
    [
      'a list where one item stands',
      [ONE_TASK, 'tags: daily'],
      ['3:7 tags is "daily"; expected a list of texts. > Write [daily].'],
    ],
    [
      'a parameter that is not declared',
      [
        'params: { rate: { type: number, default: 1 } }',
        'tasks:',
        '  a:',
        '    run: |',
        '      echo hello',
        '      echo ${{ params.rat }}',
      ],
      ['7:16 There is no parameter "rat". > Did you mean "rate"?'],
    ],
    [
      'an expression of the wrong type',
      ['params: { n: { type: string, default: x } }', 'tasks: { a: { run: x, if: params.n > 3 } }'],
      [
        '3:27 Expression `params.n > 3` is not valid: operator does not apply: string > int. > Convert one side with string(…), int(…) or double(…), or compare values of one type.',
      ],
    ],
    [
      'a condition that is none',
      ['tasks: { a: { run: x, if: "ds" } }'],
      ['2:28 Expression `ds` gives a string; expected true or false. > Compare it: ==, !=, <, >, has(…).'],
    ],
    [
      'a task that is not upstream',
      ['tasks: { a: { run: "echo ${{ tasks.b.outputs.x }}" }, b: { run: x } }'],
      ['2:30 Task "b" does not run before task "a", so its outputs are not known there. > Add `needs: [b]`.'],
    ],
    [
      'a metric that is not declared',
      ['tasks: { a: { run: x, gate: metrics.auc > 1 } }'],
      ['2:29 There is no metric "auc". > Declare it under `metrics:` of the task.'],
    ],
    [
      'an expression in single quotes',
      ['tasks:', '  a:', "    run: echo '${{ ds }}'"],
      [
        '4:16 An expression stands in single quotes, where bash replaces nothing. > Use double quotes, or add `env: { VALUE: "${{ ds }}" }` to the task and write "$VALUE".',
      ],
    ],
    [
      'a path out of the root',
      ['paths: { raw: ../raw }', 'tasks: { a: { run: x, writes: [raw] } }'],
      [
        '2:15 The location "../raw" of path "raw" is not valid: it holds the folder "..". > A path cannot leave its root; write the folder out.',
      ],
    ],
    [
      'two writers',
      ['paths: { raw: raw }', 'tasks: { a: { run: x, writes: [raw] }, b: { run: x, writes: [raw] } }'],
      [
        '3:62 Path "raw" is written by task "a" and by task "b". > A path has one writer: give one of them a path of its own.',
      ],
    ],
    [
      'a path in a path',
      ['paths: { raw: raw, part: raw/x }', 'tasks: { a: { run: x, writes: [raw, part] } }'],
      [
        '2:26 Paths "raw" (task "a") and "part" (task "a") may be the same folder or one inside the other, and each is written. > Give them folders that cannot meet.',
      ],
    ],
    [
      'a window without partitions',
      [
        'paths: { raw: raw }',
        'tasks: { a: { run: x, writes: [raw] }, b: { run: x, reads: [{ path: raw, last: 28d }] } }',
      ],
      ['3:80 The path "raw" has no partitions, so it has no window. > Declare it as { at: …, partition: ds }.'],
    ],
    [
      'a cycle',
      ['tasks:', '  a: { run: x, needs: [c] }', '  b: { run: x, needs: [a] }', '  c: { run: x, needs: [b] }'],
      [
        '3:16 Tasks wait for each other: a -> b -> c -> a. > Remove one of these `needs`, or a read of a path that a later task writes.',
      ],
    ],
    [
      'a fan-out that is too wide',
      ['tasks: { a: { run: x, max_fanout: 3, matrix: { i: [1, 2], j: [1, 2] } } }'],
      ['2:46 matrix makes 4 task runs; at most 3 are allowed. > Raise max_fanout to 4 or shorten the lists.'],
    ],
    [
      'a default outside its bounds',
      ['params: { n: { type: integer, default: 11, maximum: 10 } }', ONE_TASK],
      ['2:40 params.n.default is 11; expected at most 10. > Change the default or the schema.'],
    ],
    [
      'a value of an environment',
      ['params: { n: { type: integer, default: 1 } }', ONE_TASK, 'environments: { dev: { params: { n: x, m: 1 } } }'],
      [
        '4:37 params.n is "x"; expected a whole number. > Change the value or the schema.',
        '4:40 There is no parameter "m". > Did you mean "n"?',
      ],
    ],
    [
      'what environments cannot change',
      [ONE_TASK, 'environments: { dev: { tasks: {} } }'],
      [
        '3:24 The key "tasks" in environments.dev is not known. > Known keys: schedule, paused, params, pool, resources, replicas, alerts.',
      ],
    ],
    [
      'a reserved variable',
      ['tasks: { a: { run: x, env: { PATH_RAW: y } } }'],
      [
        '2:30 The variable "PATH_RAW" is reserved. > Choose another name; PATH_, OUT_, DATA_, PARAM_ and SLUICE_ belong to Sluice.',
      ],
    ],
    [
      'a finally task that waits for a task',
      ['tasks: { a: { run: x } }', 'finally: { z: { run: x, needs: [a] } }'],
      [
        '3:33 Task "z" under finally needs "a", which always ends before. > Remove it; use `if: tasks.…` to look at its state.',
      ],
    ],
    [
      'a notebook out of dags, kept where the task writes nothing',
      ['tasks: { a: { notebook: { file: ../x.ipynb, save: report/x.ipynb } } }'],
      [
        '2:33 The file "../x.ipynb" is not a plain path below dags/. > Write it relative to dags/, without "..", "./" or blanks.',
        '2:51 save is "report/x.ipynb", but the task writes no path "report". > Add it to the task: `writes: [report]`.',
      ],
    ],
    [
      'a spark program that would show a secret, go where a parameter says, and outlive its task',
      [
        'params: { to: { type: string, default: x } }',
        'tasks:',
        '  a:',
        '    spark:',
        '      file: x.py',
        '      class: A',
        '      master: spark://${{ params.to }}',
        '      conf:',
        '        spark.hadoop.fs.s3a.secret.key: hunter22',
        '        spark.hadoop.fs.s3a.access.key: "${env.KEY}"',
        '        spark.submit.deployMode: cluster',
        '        spark.master: local',
        '  b: { spark: { file: x.py, master: locally } }',
        '  c: { spark: { file: x.sh, py_files: [x.txt] } }',
      ],
      [
        '7:7 class has no meaning with a .py file. > Remove it.',
        '8:15 master is "spark://${{ params.to }}"; only ${{ env.vars.<name> }}, and nothing beside it, may say whom the program is sent to. > Write it out, or put it under `vars:` of environments/<name>.yaml.',
        '10:41 The setting "spark.hadoop.fs.s3a.secret.key" would hold a secret in the file and on the command line. > Name it in `secrets:` of the task and write "${env.NAME}" for a setting spark.hadoop.…, or read it in the program from the environment.',
        '12:34 spark.submit.deployMode is "cluster"; expected client: a driver elsewhere would outlive a task that is cancelled. > Remove it.',
        '13:9 spark.master stands in `conf`. > Write `master:` instead.',
        '14:37 master is "locally"; expected local, local[2], local[*], spark://host:port, yarn or k8s://…. > For example: local[2].',
        '15:23 spark is "x.sh"; expected a .py or .jar file. > Write for example churn/sums.py, or `run:` to call spark-submit yourself.',
        '15:40 py_files names "x.txt"; expected a .py, .zip or .egg file. > For example: lib/helpers.py.',
      ],
    ],
    [
      'a file out of dags',
      ['tasks: { a: { python: ../x.py } }'],
      [
        '2:23 The file "../x.py" is not a plain path below dags/. > Write it relative to dags/, without "..", "./" or blanks.',
      ],
    ],
    [
      'a day that does not exist',
      [ONE_TASK, 'schedule: { cron: "0 0 30 2 *" }'],
      ['3:19 Cron: "0 0 30 2 *" never fires. > The day of month does not exist in any of the named months.'],
    ],
    [
      'a time zone with a typo',
      [ONE_TASK, 'schedule: { cron: "@daily", timezone: Europe/Berln }'],
      ['3:39 schedule.timezone is "Europe/Berln"; expected an IANA time zone. > Did you mean "Europe/Berlin"?'],
    ],
    [
      'the name of a container variable',
      ['tasks: { a: { run: "echo ${{ execution_date }}" } }'],
      ['2:30 The name "execution_date" is not known in an expression. > Use data_interval_start.'],
    ],
  ])('%s', (_title, lines, expected) => {
    expect(below(...lines)).toEqual(expected);
  });

  test('all problems come at once, in the order of the file', () => {
    expect(
      below(
        'owner: 3',
        'schedule: { cron: "61 * * * *" }',
        'params: { n: { type: nmber } }',
        'tasks:',
        '  a: { run: "echo ${{ params.n }} ${{ params.m }}", needs: [z], tmeout: 1h }',
        '  b: { run: x, when: allways }',
        '  c: { sql: "select ${{ ds }}", reads: [raw] }',
      ).map((line) => line.split(' > ')[0]),
    ).toEqual([
      '2:8 owner is 3; expected a text.',
      '3:19 Cron: the minute "61" is not valid; expected 0-59, as values (1,2), ranges (1-5) or steps (*/15).',
      '4:22 params.n.type is "nmber"; expected string, number, integer, boolean, array or object.',
      '6:65 The key "tmeout" in tasks.a is not known.',
      '7:22 tasks.b.when is "allways"; expected all_success, all_failed, all_done, all_done_min_one_success, all_skipped, one_success, one_failed, one_done, none_failed, none_failed_min_one_success, none_skipped or always.',
      '8:41 There is no path "raw" in this pipeline.',
    ]);
  });

  test('a file with a thousand faults shows a hundred and says how many are left', () => {
    const keys = Array.from({ length: 1_000 }, (_, index) => `x${index}: 1`);
    const problems = below(ONE_TASK, ...keys);
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toBe('102:1 900 more problems are not shown. > Mend the first ones and validate again.');
  });
});
