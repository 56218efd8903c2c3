import { z } from 'zod';
import { ENVIRONMENT_NAME, MOST_MAP_INDEX, PROMOTION_STATES, RUN_STATES } from '#core';

// What may stand in a URL. Every string is bounded and has a pattern, so that none reaches SQL or a file name unchecked.

const name = (what: string) => z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, `expected the name of ${what}`);
export const environmentName = z
  .string()
  .regex(ENVIRONMENT_NAME, 'expected the name of an environment')
  .meta({ example: 'dev' });
export const pipelineName = name('a pipeline').meta({ example: 'flight-delays' });
export const eventName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'expected the name of an event')
  .meta({ example: 'file-arrived' });
/** Printable, so that it can stand in a run's reason. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'expected 1 to 200 printable ASCII characters without blanks');
export const taskId = name('a task').meta({ example: 'train' });
const metricName = z.string().regex(/^[^\p{C}]{1,200}$/u, 'expected the name of a metric');

const LARGEST_ID = 9_223_372_036_854_775_807n;
/** Ids are Postgres bigints, written as strings. */
export const recordId = z
  .string()
  .regex(/^[1-9]\d{0,18}$/, 'expected an id: a positive whole number')
  .refine((text) => /^\d{1,19}$/.test(text) && BigInt(text) <= LARGEST_ID, 'expected an id: the number is too large');

const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const cursor = z.string().regex(/^[A-Za-z0-9_-]{1,200}$/, 'expected a cursor as `next` of an earlier answer gave it');

/** A date or an instant with its zone, between the years 1900 and 9999. */
export const instant = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], { error: 'expected an ISO 8601 date, or instant with zone' })
  .refine((text) => text >= '1900', 'expected a year from 1900 on');

export const inEnvironment = z.strictObject({ env: environmentName });
export const gridQuery = z.strictObject({
  env: environmentName,
  runs: count(1, 200).default(50),
  before: recordId.optional(),
});
export const metricsQuery = z.strictObject({
  env: environmentName,
  task: taskId.optional(),
  name: metricName.optional(),
  limit: count(1, 500).default(200),
});
export const checksQuery = z.strictObject({
  env: environmentName,
  task: taskId.optional(),
  limit: count(1, 500).default(200),
});
/** One state or several, separated by commas. */
const oneOrMore = (states: readonly string[], example: string) =>
  z
    .string()
    .max(200)
    .refine(
      (text) => text.split(',').every((one) => states.includes(one)),
      `expected one or more of ${states.join(', ')}, separated by commas`,
    )
    .meta({ example });
export const runsQuery = z.strictObject({
  env: environmentName.optional(),
  pipeline: pipelineName.optional(),
  state: oneOrMore(RUN_STATES, 'failed,timed_out').optional(),
  from: instant.optional(),
  to: instant.optional(),
  limit: count(1, 200).default(50),
  cursor: cursor.optional(),
});
export const backfillsQuery = z.strictObject({
  env: environmentName.optional(),
  pipeline: pipelineName.optional(),
  limit: count(1, 200).default(50),
  cursor: cursor.optional(),
});
export const alertsQuery = z.strictObject({
  env: environmentName.optional(),
  limit: count(1, 200).default(50),
  cursor: cursor.optional(),
});
export const auditQuery = alertsQuery;
export const tokenName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$/, 'expected the name of a token')
  .meta({ example: 'jenkins' });
export const pathQuery = z.strictObject({
  env: environmentName,
  ref: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}\.[a-z][a-z0-9_]{0,62}$/, 'expected `pipeline.path`')
    .meta({ example: 'flight-delays.raw' }),
  at: instant.optional(),
  /** The rows that checks put aside, instead of those that were published. */
  quarantine: z.literal('true').optional(),
});

const mapIndex = count(0, MOST_MAP_INDEX).default(0);
const tryNumber = count(1, 1_000_000).optional();
const fromLine = count(1, 2_000_000_000).default(1);
export const taskRunQuery = z.strictObject({ map: mapIndex });
export const logQuery = z.strictObject({
  map: mapIndex,
  try: tryNumber,
  from: fromLine,
  limit: count(1, 5000).default(1000),
});
export const logSearchQuery = z.strictObject({ map: mapIndex, try: tryNumber, q: z.string().min(1).max(500) });
export const notebookQuery = z.strictObject({ map: mapIndex, try: tryNumber });
export const logTailQuery = z.strictObject({ map: mapIndex, try: tryNumber, from: fromLine });

export const releaseRef = z
  .string()
  .regex(/^([0-9a-f]{6,64}|[a-z]{2,20}-[a-z]{2,20})$/, 'expected a digest, at least six digits of it, or an alias')
  .meta({ example: 'frozen-heron' });
export const blobName = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256: 64 hexadecimal digits in lower case');
export const releasesQuery = z.strictObject({
  dirty: z.enum(['true', 'false']).optional(),
  limit: count(1, 200).default(50),
  cursor: cursor.optional(),
});
export const releaseDiffQuery = z.strictObject({ from: releaseRef });
export const promotionsQuery = z.strictObject({
  env: environmentName.optional(),
  release: releaseRef.optional(),
  state: oneOrMore(PROMOTION_STATES, 'approval,window').optional(),
  limit: count(1, 200).default(50),
  cursor: cursor.optional(),
});
export const environmentDiffQuery = z.strictObject({ with: environmentName });
export const configurationsQuery = z.strictObject({ limit: count(1, 200).default(50) });
export const missingBlobs = z.object({ missing: z.array(z.string()) });

const isTopic = (text: string) => {
  const name = /^(?:env|board):(.*)$/s.exec(text)?.[1];
  return name === undefined ? /^run:[1-9]\d{0,18}$/.test(text) : ENVIRONMENT_NAME.test(name);
};
export const eventsQuery = z.strictObject({
  topics: z
    .string()
    .max(4000)
    .refine(
      (text) => text.split(',').every(isTopic),
      'expected `env:NAME`, `board:NAME` or `run:ID`, separated by commas',
    )
    .refine((text) => text.split(',').length <= 50, 'expected at most 50 topics')
    .meta({ example: 'env:dev,run:17' }),
});

export const environmentBody = z.strictObject({ environment: environmentName });
export const alertTestBody = z.strictObject({
  environment: environmentName,
  target: z
    .string()
    .max(320)
    .regex(/^(slack|email):[^\p{C}\s]+$/u, 'expected `slack:#channel` or `email:address`')
    .optional(),
});
const proof = z.string().min(1).max(512);
export const loginBody = z.union([z.strictObject({ code: proof }), z.strictObject({ token: proof })]);
