import { z } from 'zod';
import { ALERT_EVENTS, RUN_STATES, TASK_STATES } from '#core';
import { expecting } from './expecting.ts';
import { delay, duration, id, metricName, name, nonEmptyText, oneOrMany, text, wholeNumber, yesNo } from './names.ts';

const instantWords = expecting(
  "a date or a time; without an offset as the clocks of the schedule's zone show it",
  '2026-01-31 or 2026-01-31T06:00Z',
);
const instant = z
  .string(instantWords)
  .regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$/, instantWords);

const taskWords = expecting('a task, or one item of its fan-out: task[key]', '"train[l2=3]"');
const taskRef = z.string(taskWords).regex(/^[a-z][a-z0-9_]{0,62}(\[[^\]]+\])?$/, taskWords);
const pathWords = expecting('a path of this pipeline (raw) or of another one (other-pipeline.features)', 'raw');
const pathRef = z.string(pathWords).regex(/^([a-z][a-z0-9_-]{0,62}\.)?[a-z][a-z0-9_]{0,62}$/, pathWords);
const metricValue = z.number(expecting('a number', '0.71'));
const metrics = z.record(metricName, metricValue, expecting('a map from metric to number', '{ auc: 0.71 }'));
const outputs = z.record(nonEmptyText, z.json(), expecting('a map from output to value', '{ rows: 1200 }'));

const files = z
  .record(
    nonEmptyText,
    z.union(
      [text, z.array(z.json()), z.record(z.string(), z.json())],
      expecting('a text, or rows of a .csv, .ndjson or .json file', '[{ id: 1 }]'),
    ),
    expecting('a map from file name to content', '{ rows.csv: [{ id: 1 }] }'),
  )
  .describe('Texts, or rows that are written as the name ends: .csv, .ndjson, .json.');

const given = z.strictObject(
  {
    at: instant.optional().describe('Of the interval that holds this instant; default that of the run.'),
    from: instant.optional().describe('Of every interval of its schedule that begins from here on …'),
    to: instant.optional().describe('… and before here.'),
    after: delay.optional().describe('It is published so long after the run began; default before.'),
    files: files.optional(),
    folder: nonEmptyText.optional().describe('A folder or file below dags/ whose files it holds.'),
  },
  expecting('a map with at, from, to, after, files, folder', '{ files: { rows.csv: [{ id: 1 }] } }'),
);

const outcomeWords = expecting(
  'success, failed, skipped, timed_out, lost, real, or a map with exit, state, message, answer, takes, outputs, metrics, writes',
  '{ exit: 1, takes: 5m }',
);
const outcome = z.union(
  [
    z.enum(['success', 'failed', 'skipped', 'timed_out', 'lost', 'real'], outcomeWords),
    z.strictObject({
      state: z.enum(['success', 'failed', 'skipped', 'timed_out', 'lost']).optional(),
      exit: wholeNumber(0, 255).optional().describe('Exit code: 0 success, 75 try again later, 99 skipped.'),
      retry_after: duration.optional().describe('With exit 75; default 60s.'),
      message: nonEmptyText.optional().describe('Why it did not succeed.'),
      answer: z
        .enum(['approve', 'reject', 'none'])
        .optional()
        .describe('What somebody says whom its gate asks; default approve. none: nobody answers.'),
      takes: delay.optional().describe('How long the attempt takes; default no time.'),
      outputs: outputs.optional(),
      metrics: metrics.optional(),
      writes: z
        .record(id, files, expecting('a map from path to files', '{ raw: { rows.csv: [{ id: 1 }] } }'))
        .optional()
        .describe('What it publishes; default empty folders.'),
    }),
  ],
  outcomeWords,
);

const taskExpectation = z.strictObject({
  state: z.enum(TASK_STATES).optional(),
  tries: wholeNumber(0, 1_000).optional().describe('Attempts that were made.'),
  reason: nonEmptyText.optional().describe('Part of the reason that is shown.'),
  outputs: outputs.optional().describe('Others may be there.'),
  metrics: metrics.optional().describe('Others may be there.'),
  env: z
    .record(nonEmptyText, text, expecting('a map from variable to text', '{ DS: "2026-01-31" }'))
    .optional()
    .describe('Variables that its last attempt was given; others may be there.'),
  wrote: z
    .record(id, oneOrMany(nonEmptyText, expecting('a list of file names', '[model.json]')))
    .optional()
    .describe('Names of the files that it published, by path.'),
  that: oneOrMany(nonEmptyText, expecting('an expression or a list of them', 'outputs.rows > 0'))
    .optional()
    .describe('CEL over outputs, metrics, params, env, run, ds.'),
});

const alert = z.strictObject(
  {
    on: z.enum(ALERT_EVENTS),
    to: nonEmptyText.optional(),
    title: nonEmptyText.optional().describe('Part of its title.'),
  },
  expecting('a map with on, to, title', '{ on: run.failed, to: "slack:#alerts" }'),
);

const EXPECTATION = {
  state: z
    .enum(RUN_STATES)
    .optional()
    .describe('How the run ended; `running` when it still waits for something that never comes.'),
  reason: nonEmptyText.optional().describe('Part of the reason that is shown.'),
  took: delay.optional().describe('From its creation to its end, or to now.'),
  tasks: z
    .record(
      taskRef,
      z.union(
        [z.enum(TASK_STATES), taskExpectation],
        expecting('a state, or a map with state, tries, reason, outputs, metrics, env, wrote, that', 'success'),
      ),
      expecting('a map from task to what is expected of it', '{ load: success }'),
    )
    .optional(),
  attempts: z
    .array(nonEmptyText, expecting('a list of attempts in their order', '[load#1, load#2]'))
    .optional()
    .describe('All of them, in the order in which they began: task#try or task[key]#try.'),
  alerts: z
    .array(alert, expecting('a list of alerts in their order', '[{ on: run.failed }]'))
    .optional()
    .describe('All that were sent, in their order; [] for none.'),
};
const expectation = z.strictObject(
  EXPECTATION,
  expecting('a map with state, reason, took, tasks, attempts, alerts', '{ state: success }'),
);

const fires = z.strictObject({
  from: instant.describe('The clock moves from here …'),
  to: instant.describe('… to before here.'),
  activated: instant
    .optional()
    .describe('When the schedule became active, to see what it catches up; default long before `from`.'),
  at: z
    .array(instant, expecting('a list of instants', '[2026-01-31T06:00Z]'))
    .optional()
    .describe('When runs are created: all of them, in their order.'),
  starts: z
    .array(instant, expecting('a list of instants', '[2026-01-31T06:00Z]'))
    .optional()
    .describe('Where the intervals of those runs begin: all of them, in their order.'),
  count: wholeNumber(0, 100_000).optional().describe('How many runs are created.'),
});

const ABOUT = { pipeline: name.optional(), environment: name.optional() };

const test = z.strictObject(
  {
    ...ABOUT,
    vars: z.record(id, z.json(), expecting('a map from name to value', '{ region: eu }')).optional(),
    params: z.record(id, z.json(), expecting('a map from parameter to value', '{ sample: 0.1 }')).optional(),
    event: z
      .strictObject(
        { name: nonEmptyText, payload: z.json().optional().describe('Default {}.') },
        expecting('a map with name, payload', '{ name: order, payload: { id: 7 } }'),
      )
      .optional()
      .describe('The run is started by this event, whose payload gives its parameters.'),
    after_failure: yesNo
      .optional()
      .describe('A run before it failed and was told of: that it succeeds is told as run.recovered.'),
    at: instant.optional().describe('The run is about the interval that holds this instant; default none.'),
    given: z
      .record(
        pathRef,
        oneOrMany(given, expecting('a map with at, from, to, files, folder, or a list of them', '{ files: {} }')),
        expecting('a map from path to what was published there', '{ raw: { files: {} } }'),
      )
      .optional()
      .describe('What is published before, or while, the run is under way.'),
    data: z
      .record(id, nonEmptyText, expecting('a map from name to a folder below dags/', '{ flights: tests/flights }'))
      .optional()
      .describe("Folders below dags/ in place of the environment's data folders."),
    baseline: z
      .record(id, metrics, expecting('a map from task to its metrics', '{ train: { auc: 0.7 } }'))
      .optional()
      .describe('What the last successful run said.'),
    tasks: z
      .record(
        taskRef,
        z.union([outcome, z.array(outcome).min(1, outcomeWords)], outcomeWords),
        expecting('a map from task to its outcome', '{ load: success }'),
      )
      .optional()
      .describe('How attempts end: one outcome, or one for each try, the last for all that follow; default success.'),
    cancel_after: delay.optional().describe('Somebody cancels the run so long after its creation.'),
    meanwhile: z
      .array(
        z.strictObject({ after: delay, ...EXPECTATION }),
        expecting('a list of expectations, each with after', '[{ after: 5m, state: running }]'),
      )
      .optional()
      .describe('What is to be seen while the run is under way.'),
    expect: expectation.optional().describe('What is to be seen when nothing happens any more.'),
    golden: yesNo
      .optional()
      .describe('Compare everything with dags/tests/golden/; `sluice test --update` writes it anew.'),
    fires: fires.optional().describe('Instead of a run: which runs the schedule creates while the clock moves.'),
  },
  expecting('a test: a map with tasks and expect, or with fires', '{ expect: { state: success } }'),
);

/** Every key of a file in `dags/tests/`. */
export const testFileShape = z.strictObject({
  ...ABOUT,
  tests: z
    .record(nonEmptyText, test, expecting('a map from what is tested to the test', '{ it succeeds: { expect: … } }'))
    .describe('Each with a name that says what is expected.'),
});

export type TestShape = z.infer<typeof test>;
export type TestExpectation = z.infer<typeof expectation>;
export type TaskExpectation = z.infer<typeof taskExpectation>;
export type TestFiles = z.infer<typeof files>;
export type OutcomeShape = z.infer<typeof outcome>;
export type GivenShape = z.infer<typeof given>;
