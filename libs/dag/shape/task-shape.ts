import { z } from 'zod';
import { TRIGGER_RULES } from '#core';
import { checkShape } from './check-shape.ts';
import { expecting } from './expecting.ts';
import { httpShape } from './http-shape.ts';
import { matrixShape, needsShape } from './links-shape.ts';
import { notebookShape } from './notebook-shape.ts';
import { replicasShape } from './replicas-shape.ts';
import { resourcesShape } from './resources-shape.ts';
import { sparkShape } from './spark-shape.ts';
import { approveShape, askShape, callShape, waitShape } from './wait-shape.ts';
import { delay, duration, id, metricName, name, nonEmptyText, text, variable, wholeNumber, yesNo } from './names.ts';

const retryCount = wholeNumber(0, 1000);
const factorWords = expecting('a factor from 1 to 100', '2');
const shareWords = expecting('a share from 0 to 1', '0.1');
const endsWords = expecting('exit codes from 1 to 255, timeout or lost', '[1, timeout]');

export const retriesShape = z.union(
  [
    retryCount,
    z.strictObject({
      max: retryCount,
      delay: delay.optional().describe('Wait before the first retry; default 30s.'),
      backoff: z
        .number(factorWords)
        .min(1, factorWords)
        .max(100, factorWords)
        .optional()
        .describe('Factor from one delay to the next; default 2.'),
      max_delay: delay.optional().describe('Longest wait; default 30m.'),
      jitter: z
        .number(shareWords)
        .min(0, shareWords)
        .max(1, shareWords)
        .optional()
        .describe('Share of the delay that may be added; default 0.1.'),
      on: z
        .array(z.union([wholeNumber(1, 255), z.enum(['timeout', 'lost'])], endsWords), endsWords)
        .min(1, endsWords)
        .optional()
        .describe('Exit codes and ends that are retried; default: any failure.'),
    }),
  ],
  expecting(
    'a number of retries from 0 to 1000, or a map with max, delay, backoff, max_delay, jitter, on',
    '{ max: 2, delay: 1m }',
  ),
);

const referenceWords = expecting('a path of this pipeline (raw) or of another one (other-pipeline.features)', 'raw');
const pathReference = z
  .string(referenceWords)
  .regex(/^([a-z][a-z0-9_-]{0,62}\.)?[a-z][a-z0-9_]{0,62}$/, referenceWords);
const readDetails = z.strictObject({
  path: pathReference,
  last: duration.optional().describe('Window of partitions that ends with this interval.'),
  missing: z.enum(['ok', 'fail', 'wait']).optional().describe('What to do without the data; default wait for others.'),
});
const read = z.union(
  [pathReference, readDetails],
  expecting('a path of this pipeline or of another one, or a map with path, last, missing', '{ path: raw, last: 28d }'),
);

const envWords = expecting('a map from variable to value', '{ LOG_LEVEL: info }');
export const envShape = z.record(
  variable,
  z.union([text, z.number(), z.boolean()], { error: 'a text, number or boolean' }),
  envWords,
);

const toleranceWords = expecting('a share from 0 to 1', '1e-9');

const gate = z.strictObject({
  expr: nonEmptyText,
  on_fail: z
    .enum(['fail', 'skip_downstream', 'needs_approval'])
    .optional()
    .describe('What becomes of the task when it does not hold; default fail.'),
  ...askShape,
});

const filesWords = expecting('a list of at most 100 files below dags/, such as lib/*', '[churn/*]');
const cache = z
  .union(
    [yesNo, z.strictObject({ files: z.array(nonEmptyText, filesWords).max(100, filesWords) })],
    expecting('true, false, or a map with files', '{ files: [churn/*] }'),
  )
  .describe('Take the result of an earlier run that saw the same. `files`: those that the task uses; default any.');

export const TASK_KINDS = [
  'run',
  'node',
  'python',
  'notebook',
  'spark',
  'sql',
  'http',
  'uses',
  'wait',
  'approve',
  'call',
] as const;

const pluginWords = expecting('a plugin and its version: name@1, name@1.2 or name@1.2.3', 'dbt@1');
const pluginUse = z.string(pluginWords).regex(/^[a-z][a-z0-9-]{0,62}@\d+(\.\d+){0,2}(-[\w.]+)?$/, pluginWords);

/** Keys that `defaults:` may give to every task. */
export const DEFAULT_KEYS = {
  retries: retriesShape.optional(),
  timeout: duration.optional(),
  pool: name.optional(),
  slots: wholeNumber(1, 10_000).optional(),
  priority: wholeNumber(-1_000_000, 1_000_000).optional(),
  resources: resourcesShape.optional(),
  cache: cache.optional(),
  depends_on_past: yesNo.optional().describe('Waits until it ended well in the interval before.'),
  wait_for_downstream: yesNo.optional().describe('And until what directly follows it ended well there, too.'),
};

export const taskShape = z.strictObject(
  {
    run: nonEmptyText.optional().describe('Shell text, executed by bash -euo pipefail.'),
    node: nonEmptyText.optional().describe('file#export, relative to dags/.'),
    python: nonEmptyText.optional().describe('file.py, file.py:function or module:function.'),
    notebook: notebookShape.optional().describe('A .ipynb file relative to dags/, executed with parameters.'),
    spark: sparkShape.optional().describe('A .py or .jar file relative to dags/, given to spark-submit.'),
    sql: nonEmptyText.optional().describe('A .sql file relative to dags/, or SQL text, for DuckDB.'),
    http: httpShape.optional().describe('One HTTP request.'),
    uses: pluginUse.optional().describe('A plugin of dags/plugins and its version.'),
    with: z
      .record(text, z.json(), expecting('a map', '{ project: shop }'))
      .optional()
      .describe('What the plugin is given.'),
    wait: waitShape.optional().describe('What must be so before this task ends; it holds no slot and no process.'),
    approve: approveShape.optional().describe('What somebody is asked, who continues or rejects.'),
    call: callShape.optional().describe('Another pipeline: its run is started, and its end is the end of this task.'),
    needs: needsShape.optional(),
    group: id.optional().describe('A group under `groups:`.'),
    when: z.enum(TRIGGER_RULES).optional(),
    if: z.union([nonEmptyText, z.boolean()], expecting('an expression', 'params.rate > 0.5')).optional(),
    matrix: matrixShape.optional(),
    max_parallel: wholeNumber(1, 100_000).optional(),
    max_fanout: wholeNumber(1, 100_000).optional(),
    reads: z
      .union([z.array(read), z.record(id, read)], expecting('a list of paths, or a map from alias to path', '[raw]'))
      .optional(),
    writes: z.array(id, expecting('a list of paths of this pipeline', '[features]')).optional(),
    io: z
      .enum(['files', 'uri'], expecting('files or uri', 'uri'))
      .optional()
      .describe('What PATH_<NAME> holds: a folder, or the URI in the storage; default files.'),
    ...DEFAULT_KEYS,
    replicas: replicasShape.optional(),
    catch: yesNo.optional(),
    env: envShape.optional(),
    network: yesNo.optional().describe('It reads from elsewhere than its paths: `sluice verify` leaves it out.'),
    verify: z
      .strictObject({ tolerance: z.number(toleranceWords).min(0, toleranceWords).max(1, toleranceWords) })
      .optional()
      .describe('Numbers in JSON and CSV files may differ by this share when a run is verified; default not at all.'),
    secrets: z.array(variable, expecting('a list of names of secrets', '[WAREHOUSE_DSN]')).optional(),
    metrics: z.array(metricName, expecting('a list of names of metrics', '[auc]')).optional(),
    checks: z
      .array(
        z.union(
          [nonEmptyText, checkShape],
          expecting(
            'an expression, or a map with one of expr, not_null, unique, range, values, rows, fresh, sql',
            'outputs.rows > 0',
          ),
        ),
        expecting('a list of checks', '[outputs.rows > 0]'),
      )
      .optional(),
    gate: z
      .union(
        [nonEmptyText, gate],
        expecting('an expression, or a map with expr, on_fail, groups, timeout, on_timeout', 'metrics.auc > 0.8'),
      )
      .optional(),
  },
  expecting('a map', '{ run: echo hello }'),
);

export type TaskShape = z.infer<typeof taskShape>;
export type RetriesShape = z.infer<typeof retriesShape>;
export type ReadShape = z.infer<typeof read>;
