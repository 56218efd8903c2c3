import type { z } from 'zod';
import { didYouMean } from '../source/did-you-mean.ts';
import { listed } from '../source/quote.ts';

/** What a schema wants, as the `error` of a zod schema: `expected` completes "x is 3; expected …", `example` the remedy. */
export function expecting(expected: string, example: string): { error: string } {
  return { error: `${expected}\n${example}` };
}

/** The two halves for a value that does not fit: what was expected, and what to do. */
export function expectationOf(issue: z.core.$ZodIssue, value: unknown): { expected: string; hint: string } {
  const { expected, example } = wordsOf(issue);
  return { expected, hint: hintFor(value, expected, example, issue) };
}

/** The `expected` half of a message made by `expecting`. */
export function expectedOf(message: string | undefined): string {
  return message?.split('\n')[0] ?? 'another value';
}

function wordsOf(issue: z.core.$ZodIssue): { expected: string; example: string | undefined } {
  if (issue.code === 'invalid_value') return { expected: listed(issue.values.map(String)), example: undefined };
  // Messages of the library itself, of schemas that have none of their own.
  if (/^(Invalid|Too |Unrecognized|Expected)/.test(issue.message)) {
    const type = String((issue as { expected?: unknown }).expected);
    return { expected: TYPES[type] ?? 'another value', example: undefined };
  }
  const [expected = '', example] = issue.message.split('\n');
  return { expected, example };
}

function hintFor(value: unknown, expected: string, example: string | undefined, issue: z.core.$ZodIssue): string {
  if (value === null) return 'Give it a value, or remove the key.';
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const all = values.length === 1 ? `Write ${values.join('')}.` : `Write one of ${values.join(', ')}.`;
    return typeof value === 'string' ? didYouMean(value, values, all) : all;
  }
  const isPlain = typeof value === 'number' || typeof value === 'boolean';
  if (typeof value === 'number' && expected.startsWith('a duration'))
    return `Add the unit: ${value}s, ${value}m or ${value}h.`;
  if (isPlain && expected.startsWith('a text')) return `Put it in quotes: "${value}".`;
  if (typeof value === 'string' && expected.startsWith('a list') && /^[\w.#@:*-]+$/.test(value))
    return `Write [${value}].`;
  if (typeof value === 'string' && expected.startsWith('a whole number') && /^\d+$/.test(value))
    return 'Remove the quotes.';
  return example === undefined ? `Write ${expected}.` : `For example: ${example}.`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
};
