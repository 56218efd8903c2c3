import { z } from 'zod';
import { expecting } from './expecting.ts';
import { duration, id, nonEmptyText, oneOrMany, wholeNumber } from './names.ts';

const columns = oneOrMany(nonEmptyText, expecting('a column or a list of columns', '[route, day]'));
const bound = z.number(expecting('a number', '0'));
const scalar = z.union([z.string(), z.number(), z.boolean()], expecting('a text, number or boolean', 'DE'));
const shareWords = expecting('a share above 0 and up to 1', '0.5');

/** Exactly one of these says what a check looks at. */
export const CHECK_KINDS = ['expr', 'not_null', 'unique', 'range', 'values', 'rows', 'fresh', 'sql'] as const;

export const checkShape = z.strictObject({
  name: nonEmptyText.optional(),
  expr: nonEmptyText.optional().describe('CEL over outputs and metrics.'),
  not_null: columns.optional().describe('Columns that are never null.'),
  unique: columns.optional().describe('No two rows have the same values here.'),
  range: z
    .strictObject({ column: nonEmptyText, min: bound.optional(), max: bound.optional() })
    .optional()
    .describe('Values lie between these, both included.'),
  values: z
    .strictObject({ column: nonEmptyText, in: z.array(scalar, expecting('a list of values', '[DE, FR]')).min(1) })
    .optional()
    .describe('Only these values occur.'),
  rows: z
    .strictObject({
      min: wholeNumber(0, 1e15).optional(),
      max: wholeNumber(0, 1e15).optional(),
      last: wholeNumber(1, 100).optional().describe('Compare with the mean of so many successful runs.'),
      within: z.number(shareWords).gt(0, shareWords).max(1, shareWords).optional().describe('Of that mean.'),
    })
    .optional()
    .describe('How many rows there are.'),
  fresh: z
    .strictObject({ column: nonEmptyText, within: duration })
    .optional()
    .describe("The newest value is at most so old at the interval's end, or now."),
  sql: nonEmptyText.optional().describe('A select over the path by its name; every row that it gives is a bad one.'),
  of: id.optional().describe('The path; default the only one that the task writes.'),
  on_fail: z.enum(['fail', 'warn', 'quarantine']).optional(),
});
export type CheckShape = z.infer<typeof checkShape>;
