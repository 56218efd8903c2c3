import { z } from 'zod';
import { TRIGGER_RULES } from '#core';
import {
  delay,
  duration,
  id,
  metricName,
  name,
  nonEmptyText,
  oneOrMany,
  text,
  variable,
  wholeNumber,
  yesNo,
} from './names.ts';

const retryCount = wholeNumber(0, 1000);

export const retriesShape = z.union(
  [
    retryCount,
    z.strictObject({
      max: retryCount,
      delay: delay.optional().describe('Wait before the first retry; default 30s.'),
      backoff: z
        .number({ error: 'a factor from 1 to 100' })
        .min(1, { error: 'a factor from 1 to 100' })
        .max(100, { error: 'a factor from 1 to 100' })
        .optional()
        .describe('Factor from one delay to the next; default 2.'),
      max_delay: delay.optional().describe('Longest wait; default 30m.'),
      jitter: z
        .number({ error: 'a share from 0 to 1' })
        .min(0, { error: 'a share from 0 to 1' })
        .max(1, { error: 'a share from 0 to 1' })
        .optional()
        .describe('Share of the delay that may be added; default 0.1.'),
      on: z
        .array(
          z.union([wholeNumber(1, 255), z.enum(['timeout', 'lost'])], {
            error: 'an exit code from 1 to 255, timeout or lost',
          }),
        )
        .min(1, { error: 'at least one exit code, timeout or lost' })
        .optional()
        .describe('Exit codes and ends that are retried; default: any failure.'),
    }),
  ],
  { error: 'a number of retries from 0 to 1000, or a map with max, delay, backoff, max_delay, jitter, on' },
);

const PATH_REFERENCE = /^([a-z][a-z0-9_-]{0,62}\.)?[a-z][a-z0-9_]{0,62}$/;
const REFERENCE_EXPECTED = 'a path of this pipeline (raw) or of another one (other-pipeline.features)';
const pathReference = z.string({ error: REFERENCE_EXPECTED }).regex(PATH_REFERENCE, { error: REFERENCE_EXPECTED });
const readDetails = z.strictObject({
  path: pathReference,
  last: duration.optional().describe('Window of partitions that ends with this interval.'),
  missing: z.enum(['ok', 'fail', 'wait']).optional(),
});
const READ_EXPECTED = `${REFERENCE_EXPECTED}, or a map with path, last, missing`;
const read = z.union([pathReference, readDetails], { error: READ_EXPECTED });

const MATRIX_EXPECTED = 'a list of values, or one expression "${{ … }}" that gives a list';
const axisValue = z.json({ error: 'a text, number, boolean, list or map' });

const expression = z.union([nonEmptyText, z.boolean()], { error: 'an expression' });

const onFail = <T extends string>(...values: [T, ...T[]]) => z.enum(values).optional();

export const TASK_KINDS = ['run', 'node', 'python', 'sql'] as const;

/** Keys that `defaults:` may give to every task. */
export const DEFAULT_KEYS = {
  retries: retriesShape.optional(),
  timeout: duration.optional(),
  pool: name.optional(),
  slots: wholeNumber(1, 10_000).optional(),
  priority: wholeNumber(-1_000_000, 1_000_000).optional(),
};

export const taskShape = z.strictObject({
  run: nonEmptyText.optional().describe('Shell text, executed by bash -euo pipefail.'),
  node: nonEmptyText.optional().describe('file#export, relative to dags/.'),
  python: nonEmptyText.optional().describe('file.py, file.py:function or module:function.'),
  sql: nonEmptyText.optional().describe('A .sql file relative to dags/, or SQL text, for DuckDB.'),
  needs: oneOrMany(nonEmptyText, 'a task id, a glob such as load_*, or a list of them').optional(),
  when: z.enum(TRIGGER_RULES).optional(),
  if: expression.optional(),
  matrix: z
    .record(id, z.union([z.array(axisValue), nonEmptyText], { error: MATRIX_EXPECTED }), {
      error: 'a map from axis to list, such as { lr: [0.05, 0.1] }',
    })
    .optional(),
  max_parallel: wholeNumber(1, 100_000).optional(),
  max_fanout: wholeNumber(1, 100_000).optional(),
  reads: z
    .union([z.array(read), z.record(id, read)], { error: 'a list of paths, or a map from alias to path' })
    .optional(),
  writes: z.array(id, { error: 'a list of paths of this pipeline' }).optional(),
  ...DEFAULT_KEYS,
  catch: yesNo.optional(),
  env: z
    .record(variable, z.union([text, z.number(), z.boolean()], { error: 'a text, number or boolean' }), {
      error: 'a map from variable to value',
    })
    .optional(),
  secrets: z.array(variable, { error: 'a list of names of secrets' }).optional(),
  metrics: z.array(metricName, { error: 'a list of names of metrics' }).optional(),
  checks: z
    .array(
      z.union(
        [
          nonEmptyText,
          z.strictObject({
            name: nonEmptyText.optional(),
            expr: nonEmptyText,
            on_fail: onFail('fail', 'warn'),
          }),
        ],
        { error: 'an expression, or a map with name, expr, on_fail' },
      ),
      { error: 'a list of checks' },
    )
    .optional(),
  gate: z
    .union([nonEmptyText, z.strictObject({ expr: nonEmptyText, on_fail: onFail('fail', 'skip_downstream') })], {
      error: 'an expression, or a map with expr, on_fail',
    })
    .optional(),
});

export type TaskShape = z.infer<typeof taskShape>;
export type RetriesShape = z.infer<typeof retriesShape>;
export type ReadShape = z.infer<typeof read>;
