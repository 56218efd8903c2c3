import { z } from 'zod';
import { expecting } from './expecting.ts';
import { duration, name, nonEmptyText, text, variable, wholeNumber } from './names.ts';

const status = wholeNumber(100, 599);
const headerName = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, expecting('the name of an HTTP header', 'Accept'));

const httpShape = z.union(
  [
    nonEmptyText,
    z.strictObject({
      url: nonEmptyText,
      status: z
        .union([status, z.array(status).min(1)], expecting('an HTTP status, or a list of them', '200'))
        .optional()
        .describe('What the answer must be; default 200.'),
      expr: nonEmptyText.optional().describe('What must hold of `response.status` and `response.body` besides.'),
      headers: z
        .record(headerName, text, expecting('a map from header to text', '{ Accept: application/json }'))
        .optional(),
      bearer: variable.optional().describe('Secret that is sent as `Authorization: Bearer …`.'),
    }),
  ],
  expecting('an address, or a map with url, status, expr, headers, bearer', 'https://example.org/ready'),
);

const limits = {
  timeout: duration.optional().describe('After this long it ends by `on_timeout`.'),
  on_timeout: z.enum(['fail', 'skip']).optional().describe('Default fail.'),
};

/** Keys of which `wait:` has exactly one. */
export const WAIT_KEYS = ['path', 'dataset', 'http', 'run', 'time', 'expr'] as const;

export const waitShape = z.strictObject(
  {
    path: nonEmptyText.optional().describe("A file or folder below the environment's storage root."),
    dataset: nonEmptyText
      .regex(
        /^[a-z][a-z0-9_-]{0,62}\.[a-z][a-z0-9_]{0,62}$/,
        expecting("another pipeline's path, as pipeline.path", 'other-pipeline.features'),
      )
      .optional()
      .describe("Another pipeline's path: the partition in which this interval ends."),
    http: httpShape.optional().describe('An address that is asked until it answers as wanted.'),
    run: name.optional().describe('Another pipeline: its run for this interval has succeeded.'),
    time: nonEmptyText.optional().describe('An instant, or an expression: data_interval_end + 2h.'),
    expr: nonEmptyText.optional().describe('An expression that becomes true; it knows `now`.'),
    every: duration.optional().describe('How often it is looked at; default 1m.'),
    ...limits,
  },
  expecting('a map with one of path, dataset, http, run, time, expr', '{ path: landing/_SUCCESS, timeout: 6h }'),
);

/** Whom a task asks, and until when. */
export const askShape = {
  groups: z
    .array(nonEmptyText, expecting('a list of groups', '[ml-leads]'))
    .optional()
    .describe('Who may answer; default: whoever has the right to approve here.'),
  ...limits,
};

export const approveShape = z.union(
  [
    nonEmptyText,
    z.strictObject({
      message: nonEmptyText.describe('What is asked.'),
      ...askShape,
    }),
  ],
  expecting('what is asked, or a map with message, groups, timeout, on_timeout', 'Is the new threshold right?'),
);

const callWords = expecting('a pipeline, or a map with pipeline, params', '{ pipeline: train, params: { rate: 0.1 } }');

export const callShape = z.union(
  [
    name,
    z.strictObject({
      pipeline: name.describe('The pipeline whose run is started.'),
      params: z.record(text, z.json(), expecting('a map from parameter to value', '{ rate: 0.1 }')).optional(),
    }),
  ],
  callWords,
);

export type CallShape = z.infer<typeof callShape>;
export type WaitShape = z.infer<typeof waitShape>;
export type ApproveShape = z.infer<typeof approveShape>;
