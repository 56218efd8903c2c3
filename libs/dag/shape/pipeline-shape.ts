import { z } from 'zod';
import { ALERT_EVENTS } from '#core';
import { duration, id, name, nonEmptyText, oneOrMany, text, variable, wholeNumber, yesNo } from './names.ts';
import { DEFAULT_KEYS, taskShape } from './task-shape.ts';

const moment = z
  .string({ error: 'a date (2026-01-01) or a local time (2026-01-01T06:00)' })
  .regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?)?$/, {
    error: "a date (2026-01-01) or a local time (2026-01-01T06:00) in the schedule's time zone",
  });

const order = z.enum(['oldest_first', 'newest_first']).optional();
const timing = {
  timezone: nonEmptyText.optional().describe('IANA name; default UTC.'),
  start: moment.optional().describe('First interval starts here or later.'),
  end: moment.optional().describe('Last interval starts here or earlier.'),
  catchup: z
    .union([z.boolean(), z.strictObject({ max_age: duration.optional(), order })], {
      error: 'true, false, or a map with max_age, order',
    })
    .optional(),
  run: z.enum(['at_end']).optional(),
};

export const scheduleShape = z.union(
  [
    z.string().min(1, { error: 'manual, a cron such as "30 2 * * *", or a preset such as "@daily"' }),
    z.null(),
    z.strictObject({
      cron: nonEmptyText.optional(),
      every: duration.optional(),
      ...timing,
      gap: z.enum(['next', 'skip']).optional(),
      fold: z.enum(['first', 'second', 'both']).optional(),
    }),
  ],
  { error: 'manual, a cron in quotes, or a map with cron or every, timezone, start, end, catchup' },
);

const paramShape = z
  .looseObject({
    type: z
      .union([z.enum(['string', 'number', 'integer', 'boolean', 'array', 'object']), z.array(z.string())], {
        error: 'string, number, integer, boolean, array or object',
      })
      .optional(),
    description: text.optional(),
  })
  .describe('JSON Schema of the value; without `default` it must be given.');

const pathShape = z.union(
  [nonEmptyText, z.strictObject({ at: nonEmptyText, shared: yesNo.optional(), partition: z.enum(['ds']).optional() })],
  { error: 'a location such as raw/ds=${{ ds }}, or a map with at, shared, partition' },
);

const alertsShape = z.array(
  z.strictObject({
    on: oneOrMany(z.enum(ALERT_EVENTS), 'an event or a list of events'),
    to: oneOrMany(
      z.string().regex(/^(slack:[#@]?[^\s#@]\S{0,79}|email:[^\s@:]+@[^\s@]+\.[^\s@]+|email:[^\s@:]+@localhost)$/, {
        error: 'slack:#channel or email:name@example.com',
      }),
      'a target or a list of targets such as slack:#alerts, email:name@example.com',
    ),
  }),
  { error: 'a list of rules with on and to' },
);

const overlayShape = z.strictObject({
  schedule: scheduleShape.optional(),
  paused: yesNo.optional(),
  params: z.record(id, z.json(), { error: 'a map from parameter to value' }).optional(),
  pool: name.optional(),
  alerts: alertsShape.optional(),
});

/** Every key of a pipeline file; validation, messages and the published JSON Schema all come from here. */
export const PIPELINE_KEYS = {
  name,
  description: text.optional(),
  owner: text.optional(),
  tags: z.array(nonEmptyText, { error: 'a list of texts' }).optional(),
  schedule: scheduleShape.optional(),
  max_active_runs: wholeNumber(1, 1_000).optional(),
  max_active_tasks: wholeNumber(1, 100_000).optional(),
  overlap: z.enum(['queue', 'skip', 'cancel_running']).optional(),
  run_timeout: duration.optional(),
  deadline: duration.optional(),
  params: z.record(id, paramShape, { error: 'a map from parameter to schema' }).optional(),
  paths: z.record(id, pathShape, { error: 'a map from path to location' }).optional(),
  env: z
    .record(variable, z.union([text, z.number(), z.boolean()], { error: 'a text, number or boolean' }), {
      error: 'a map from variable to value',
    })
    .optional(),
  defaults: z.strictObject(DEFAULT_KEYS, { error: 'a map with retries, timeout, pool, slots, priority' }).optional(),
  tasks: z.record(id, taskShape, { error: 'a map from task id to task' }),
  finally: z.record(id, taskShape, { error: 'a map from task id to task' }).optional(),
  alerts: alertsShape.optional(),
  environments: z.record(name, overlayShape, { error: 'a map from environment to what differs there' }).optional(),
};

export const pipelineShape = z.strictObject(PIPELINE_KEYS);
export type PipelineShape = z.infer<typeof pipelineShape>;
export type ScheduleShape = z.infer<typeof scheduleShape>;
export type AlertsShape = z.infer<typeof alertsShape>;
export type OverlayShape = z.infer<typeof overlayShape>;
export type PathShape = z.infer<typeof pathShape>;
export type ParamShape = z.infer<typeof paramShape>;
