import { z } from 'zod';
import { expecting } from './expecting.ts';
import { delay, duration, name, nonEmptyText, oneOrMany, text, wholeNumber, yesNo } from './names.ts';

const pipelines = oneOrMany(
  text.regex(/^[a-z*?][a-z0-9_*?-]*$/, expecting('a pipeline or a pattern', '"flight-*"')),
  expecting('a pipeline, a pattern or a list of them', '["*"]'),
);

const onMissing = z.enum(['inconclusive', 'fail'], expecting('inconclusive or fail', 'inconclusive'));

/** One of the keys; which, is checked where gates are compiled. */
const gate = z.strictObject(
  {
    smoke: z.strictObject({ pipelines: pipelines.optional(), timeout: duration.optional() }).optional(),
    metric: z
      .strictObject({
        pipeline: name,
        expr: nonEmptyText,
        on_missing: onMissing.optional(),
      })
      .optional(),
    checks: z.strictObject({ pipelines: pipelines.optional() }).optional(),
    tests: z.strictObject({ on_missing: onMissing.optional() }).optional(),
    external: z
      .strictObject({
        url: text.regex(/^https?:\/\/[^\s]+$/, expecting('an http or https address', 'https://example.com/ready')),
        timeout: duration.optional(),
      })
      .optional(),
  },
  expecting(
    'a gate: a map with smoke, metric, checks, tests or external',
    '{ smoke: { pipelines: ["*"], timeout: 30m } }',
  ),
);

/** Keys of an environment file that say how releases come into it. */
export const promotionShape = {
  from: z
    .array(name, expecting('a list of environments', '[test]'))
    .optional()
    .describe('Where a release must have been verified before it may come here; default anywhere.'),
  soak: delay.optional().describe('How long ago it must have been verified there.'),
  window: z
    .strictObject({ cron: nonEmptyText, timezone: nonEmptyText.optional() })
    .optional()
    .describe('Releases are switched only in minutes that this cron matches; default at any time.'),
  approvals: z
    .strictObject({
      count: wholeNumber(0, 20).optional(),
      groups: z.array(nonEmptyText, expecting('a list of groups', '[ml-leads]')).optional(),
      exclude_author: yesNo.optional(),
      expires: duration.optional(),
    })
    .optional()
    .describe('How many people must approve, from which groups; default none.'),
  gates: z
    .array(gate, expecting('a list of gates', '[{ smoke: { pipelines: ["*"] } }]'))
    .optional()
    .describe('What must hold before a release comes here; default nothing beyond being valid.'),
  verify: z
    .strictObject({
      pipelines: pipelines.optional(),
      runs: wholeNumber(1, 100).optional(),
      timeout: duration.optional(),
    })
    .optional()
    .describe('Runs that must succeed after the switch, without publishing anything; default none.'),
  auto_rollback: yesNo
    .optional()
    .describe('Return to the last verified release when verification fails; default false.'),
};
