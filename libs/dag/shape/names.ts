import { z } from 'zod';
import { durationMs } from '../source/duration.ts';

/** Messages of these schemas say what is expected; `shape-problems.ts` adds the value, the place and the remedy. */

/** Ids of tasks, paths, parameters and matrix axes: names in expressions and parts of variables. */
export const ID_PATTERN = /^[a-z][a-z0-9_]{0,62}$/;
export const ID_EXPECTED = 'a name of lower-case letters, digits and _ that starts with a letter, at most 63 long';
export const id = z.string().regex(ID_PATTERN, { error: ID_EXPECTED });

const NAME_EXPECTED = 'a name of lower-case letters, digits, _ and - that starts with a letter, at most 63 long';
/** Names of pipelines, pools and environments. */
export const NAME_PATTERN = /^[a-z][a-z0-9_-]{0,62}$/;
export const name = z.string().regex(NAME_PATTERN, { error: NAME_EXPECTED });

const VARIABLE_EXPECTED = 'a variable name: letters, digits and _, not starting with a digit, at most 128 long';
export const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, { error: VARIABLE_EXPECTED });

export const metricName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, {
  error: 'a metric name: letters, digits and _, starting with a letter, at most 63 long',
});

const DURATION_EXPECTED = 'a duration such as 90s, 15m, 1h30m, 2d or PT15M';
export const duration = z
  .string({ error: DURATION_EXPECTED })
  .regex(/^(P.+|(\d+(ms|s|m|h|d|w))+)$/i, { error: DURATION_EXPECTED })
  .refine((text) => (durationMs(text) ?? 0) > 0, { error: `${DURATION_EXPECTED}, more than 0 and at most ten years` });

/** May be 0: a delay. */
export const delay = z
  .string({ error: DURATION_EXPECTED })
  .regex(/^(P.+|(\d+(ms|s|m|h|d|w))+)$/i, { error: DURATION_EXPECTED })
  .refine((text) => durationMs(text) !== null, { error: `${DURATION_EXPECTED}, at most ten years` });

export function wholeNumber(least: number, most: number) {
  const expected = `a whole number from ${least} to ${most}`;
  return z
    .number({ error: expected })
    .int({ error: expected })
    .min(least, { error: expected })
    .max(most, { error: expected });
}

export const TEXT_EXPECTED = 'a text';
export const text = z.string({ error: TEXT_EXPECTED });
export const nonEmptyText = text.min(1, { error: 'a text that is not empty' });
export const yesNo = z.boolean({ error: 'true or false' });

/** One item or a list of them. */
export function oneOrMany<T extends z.ZodType>(item: T, expected: string) {
  return z.union([item, z.array(item)], { error: expected });
}
