import { z } from 'zod';
import { RUN_EVENTS } from '#core';
import { expecting } from './expecting.ts';
import { groupShape } from './group-shape.ts';
import { duration, id, name, nonEmptyText, oneOrMany, text, wholeNumber, yesNo } from './names.ts';
import { replicasShape } from './replicas-shape.ts';
import { resourcesShape } from './resources-shape.ts';
import { DEFAULT_KEYS, envShape, taskShape } from './task-shape.ts';
import { TRIGGER_KEYS } from './trigger-shape.ts';

const momentWords = expecting("a date or a local time in the schedule's time zone", '2026-01-31 or 2026-01-31T06:00');
const moment = z.string(momentWords).regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?)?$/, momentWords);

const timing = {
  timezone: nonEmptyText.optional().describe('IANA name; default UTC.'),
  start: moment.optional().describe('First interval starts here or later.'),
  end: moment.optional().describe('Last interval starts here or earlier.'),
  catchup: z
    .union(
      [
        z.boolean(),
        z.strictObject({ max_age: duration.optional(), order: z.enum(['oldest_first', 'newest_first']).optional() }),
      ],
      expecting('true, false, or a map with max_age, order', '{ max_age: 3d }'),
    )
    .optional(),
  run: z
    .enum(['at_end', 'at_start'])
    .optional()
    .describe('Whether runs are created when their interval ends or begins.'),
  jitter: duration.optional().describe('Spreads runs of different pipelines over this time after the fire.'),
};

/** At least one, at most `most`. */
function someOf<T extends z.ZodType>(item: T, most: number, words: { error: string }) {
  return z.union([item, z.array(item, words).min(1, words).max(most, words)], words);
}

const crons = someOf(nonEmptyText, 100, expecting('a cron or a list of at most 100', '"30 2 * * *"'));
const moments = someOf(
  moment,
  1000,
  expecting("a date or local time in the schedule's time zone, or a list of at most 1000", '[2026-01-31T06:00]'),
);

export const scheduleShape = z.union(
  [
    nonEmptyText,
    z.null(),
    z.strictObject({
      cron: crons.optional(),
      every: duration.optional(),
      at: moments.optional(),
      ...timing,
      ...TRIGGER_KEYS,
      gap: z.enum(['next', 'skip']).optional().describe('Times inside a clock change: next instant, or none.'),
      fold: z.enum(['first', 'second', 'both']).optional().describe('Times that the clocks show twice.'),
    }),
  ],
  expecting(
    'manual, a cron, or a map with cron, every, at, datasets, after or events',
    '{ cron: "30 2 * * *", timezone: Europe/Berlin }',
  ),
);

export const paramShape = z
  .looseObject(
    {
      type: z
        .union([z.enum(['string', 'number', 'integer', 'boolean', 'array', 'object']), z.array(z.string())], {
          error: 'string, number, integer, boolean, array or object',
        })
        .optional(),
      description: text.optional(),
    },
    expecting('a JSON Schema', '{ type: number, default: 0.5 }'),
  )
  .describe('JSON Schema of the value; without `default` it must be given.');

export const pathShape = z.union(
  [nonEmptyText, z.strictObject({ at: nonEmptyText, shared: yesNo.optional(), partition: z.enum(['ds']).optional() })],
  expecting('a location, or a map with at, shared, partition', 'raw/ds=${{ ds }}'),
);

const targetWords = expecting('slack:#channel or email:name@example.com', 'slack:#alerts');
const target = z
  .string(targetWords)
  .regex(/^(slack:[#@]?[^\s#@]\S{0,79}|email:[^\s@:,;<>]+@[^\s@:,;<>]+)$/, targetWords);
const alertsShape = z.array(
  z.strictObject({
    on: oneOrMany(z.enum(RUN_EVENTS), expecting('an event or a list of events', '[run.failed]')),
    to: oneOrMany(target, expecting('a target or a list of targets', '["slack:#alerts"]')),
  }),
  expecting('a list of rules with on and to', '[{ on: run.failed, to: "slack:#alerts" }]'),
);

export const overlayShape = z.strictObject(
  {
    schedule: scheduleShape.optional(),
    paused: yesNo.optional(),
    params: z.record(id, z.json(), expecting('a map from parameter to value', '{ sample: 0.1 }')).optional(),
    pool: name.optional(),
    resources: resourcesShape.optional(),
    replicas: replicasShape.optional(),
    alerts: alertsShape.optional(),
  },
  expecting('a map with schedule, paused, params, pool, resources, replicas, alerts', '{ schedule: manual }'),
);

const partWords = expecting('a file below dags/ whose name begins with _', '_etl.yaml');

const tasks = z.record(id, taskShape, expecting('a map from task id to task', '{ hello: { run: echo hello } }'));

/** Every key of a pipeline file; validation, messages and the published JSON Schema all come from here. */
export const PIPELINE_KEYS = {
  name,
  extends: z
    .string(partWords)
    .regex(/^([\w.-]+\/)*_[\w.-]*\.ya?ml$/, partWords)
    .optional()
    .describe('A part: its keys hold where this file does not say otherwise.'),
  description: text.optional(),
  owner: text.optional(),
  tags: z.array(nonEmptyText, expecting('a list of texts', '[daily]')).optional(),
  schedule: scheduleShape.optional(),
  max_active_runs: wholeNumber(1, 1_000).optional(),
  max_active_tasks: wholeNumber(1, 100_000).optional(),
  max_consecutive_failed_runs: wholeNumber(1, 1_000)
    .optional()
    .describe('The pipeline is paused after so many failed scheduled runs in a row.'),
  overlap: z.enum(['queue', 'skip', 'cancel_running']).optional(),
  run_timeout: duration.optional(),
  deadline: duration.optional(),
  params: z
    .record(id, paramShape, expecting('a map from parameter to schema', '{ sample: { type: number, default: 0.5 } }'))
    .optional(),
  paths: z.record(id, pathShape, expecting('a map from path to location', '{ raw: raw/day }')).optional(),
  env: envShape.optional(),
  defaults: z
    .strictObject(
      DEFAULT_KEYS,
      expecting(
        'a map with retries, timeout, pool, slots, priority, cache, depends_on_past, wait_for_downstream',
        '{ retries: 2 }',
      ),
    )
    .optional(),
  groups: z
    .record(
      id,
      groupShape,
      expecting('a map from group to what its tasks share', '{ regions: { matrix: { region: [eu, us] } } }'),
    )
    .optional()
    .describe('Tasks that belong together, by name.'),
  first: tasks.optional().describe('Tasks that run before every task that needs nothing.'),
  tasks,
  finally: tasks.optional(),
  alerts: alertsShape.optional(),
  environments: z
    .record(
      name,
      overlayShape,
      expecting('a map from environment to what differs there', '{ dev: { schedule: manual } }'),
    )
    .optional(),
};

export const pipelineShape = z.strictObject(PIPELINE_KEYS);
export type PipelineShape = z.infer<typeof pipelineShape>;
export type ScheduleShape = z.infer<typeof scheduleShape>;
export type AlertsShape = z.infer<typeof alertsShape>;
export type OverlayShape = z.infer<typeof overlayShape>;
export type PathShape = z.infer<typeof pathShape>;
export type ParamShape = z.infer<typeof paramShape>;
