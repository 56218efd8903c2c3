import { z } from 'zod';
import { durationMs } from '../source/duration.ts';
import { expecting } from './expecting.ts';

/** Ids of tasks, paths, parameters and matrix axes: names in expressions and parts of variables. */
export const ID_PATTERN = /^[a-z][a-z0-9_]{0,62}$/;
export const ID_EXPECTED = 'a name of lower-case letters, digits and _ that starts with a letter, at most 63 long';
export const id = z.string(expecting(ID_EXPECTED, 'load_raw')).regex(ID_PATTERN, expecting(ID_EXPECTED, 'load_raw'));

const nameWords = expecting(
  'a name of lower-case letters, digits, _ and - that starts with a letter, at most 63 long',
  'flight-delays',
);
/** Names of pipelines, pools and environments. */
export const name = z.string(nameWords).regex(/^[a-z][a-z0-9_-]{0,62}$/, nameWords);

const variableWords = expecting(
  'a variable: letters, digits and _, not starting with a digit, at most 128 long',
  'LOG_LEVEL',
);
export const variable = z.string(variableWords).regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, variableWords);

const metricWords = expecting('a metric: letters, digits and _, starting with a letter, at most 63 long', 'auc');
export const metricName = z.string(metricWords).regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, metricWords);

const durationWords = expecting('a duration such as 90s, 15m, 1h30m, 2d or PT15M', '15m');
const anyDuration = z.string(durationWords).regex(/^(P.+|(\d+(ms|s|m|h|d|w))+)$/i, durationWords);
export const duration = anyDuration.refine(
  (text) => (durationMs(text) ?? 0) > 0,
  expecting('a duration of more than 0 and at most ten years', '15m'),
);
/** May be 0. */
export const delay = anyDuration.refine(
  (text) => durationMs(text) !== null,
  expecting('a duration of at most ten years', '30s'),
);

export function wholeNumber(least: number, most: number) {
  const words = expecting(`a whole number from ${least} to ${most}`, String(Math.max(least, 2)));
  return z.number(words).int(words).min(least, words).max(most, words);
}

export const text = z.string({ error: 'a text' });
export const nonEmptyText = text.min(1, { error: 'a text that is not empty' });
export const yesNo = z.boolean({ error: 'true or false' });

/** One item or a list of them. */
export function oneOrMany<T extends z.ZodType>(item: T, words: { error: string }) {
  return z.union([item, z.array(item)], words);
}
