import type { z } from 'zod';
import { didYouMean } from '../source/did-you-mean.ts';
import type { ProblemList } from '../source/problem-list.ts';
import { listed, quote } from '../source/quote.ts';
import type { Path, SourceMap } from '../source/source-map.ts';
import { FOREIGN_KEYS, NOT_YET, NOT_YET_VALUES } from './foreign-keys.ts';

type Issue = z.core.$ZodIssue;

/** Adds one problem for each fault that `schema` finds in `value`, which stands at `path`; returns the parsed value or null. */
export function checkShape<T extends z.ZodType>(
  schema: T,
  value: unknown,
  path: Path,
  map: SourceMap,
  problems: ProblemList,
): z.infer<T> | null {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    for (const leaf of leavesOf(issue, [])) report(leaf, value, path, schema, map, problems);
  }
  return null;
}

/** Adds a problem for each member of `value` that is not among `known`. */
export function checkKeys(
  value: object,
  known: readonly string[],
  path: Path,
  map: SourceMap,
  problems: ProblemList,
): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const { message, hint } = unknownKey(key, path, known);
    problems.add(map.key([...path, key]), message, hint);
  }
}

/** The issues a reader cares about: of a union, those of the branch that was meant. */
function leavesOf(issue: Issue, prefix: readonly PropertyKey[]): Issue[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.filter(
      (branch) => !branch.some((inner) => inner.path.length === 0 && isTypeIssue(inner)),
    );
    const [branch] = meant.length === 1 || meant.every((inner) => inner.length > 0) ? meant : [];
    if (branch !== undefined) return branch.flatMap((inner) => leavesOf(inner as Issue, path));
  }
  return [{ ...issue, path } as Issue];
}

function isTypeIssue(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_union';
}

function report(
  issue: Issue,
  root: unknown,
  base: Path,
  schema: z.ZodType,
  map: SourceMap,
  problems: ProblemList,
): void {
  const inner = issue.path.map((member) => (typeof member === 'number' ? member : String(member)));
  const path = [...base, ...inner];
  const where = labelOf(path);
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) {
        const { message, hint } = unknownKey(key, path, keysOf(schema, inner, root));
        problems.add(map.key([...path, key]), message, hint);
      }
      return;
    case 'invalid_key': {
      const key = String(inner.at(-1));
      const expected = issue.issues[0]?.message ?? 'another name';
      problems.add(
        map.key(path),
        `${labelOf(path.slice(0, -1))}: the name ${quote(key)} is not valid.`,
        `Expected ${expected}.`,
      );
      return;
    }
    default: {
      const value = memberAt(root, inner);
      if (value === undefined) {
        const owner = path.slice(0, -1);
        problems.add(map.key(owner), `${labelOf(owner)} has no ${quote(path.at(-1))}.`, missingHint(path));
        return;
      }
      const later = typeof value === 'string' ? NOT_YET_VALUES[`${path.slice(-2).join('.')}=${value}`] : undefined;
      if (later !== undefined) {
        problems.add(map.value(path), `${where}: ${quote(value)} is not yet supported.`, later);
        return;
      }
      const [expected, hint] = expectation(issue, value);
      problems.add(map.value(path), `${where} is ${quote(value)}; expected ${expected}.`, hint);
    }
  }
}

function unknownKey(key: string, path: Path, known: readonly string[]): { message: string; hint: string } {
  const section = path.at(-1) === 'schedule' ? 'schedule.' : '';
  const later = NOT_YET[section + key] ?? (section === '' || key === 'io' ? NOT_YET[key] : undefined);
  const where = path.length === 0 ? '' : ` in ${labelOf(path)}`;
  if (later !== undefined && !known.includes(key))
    return { message: `The key ${quote(key)}${where} is not yet supported.`, hint: later };
  const message = `The key ${quote(key)}${where} is not known.`;
  const foreign = Object.hasOwn(FOREIGN_KEYS, key) ? FOREIGN_KEYS[key] : undefined;
  if (foreign !== undefined) return { message, hint: `Did you mean \`${foreign}\`?` };
  return {
    message,
    hint: didYouMean(key, known, known.length === 0 ? 'Remove it.' : `Known keys: ${known.join(', ')}.`),
  };
}

function expectation(issue: Issue, value: unknown): [expected: string, hint: string] {
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const hint =
      typeof value === 'string'
        ? didYouMean(value, values, `Write one of ${values.join(', ')}.`)
        : `Write one of ${values.join(', ')}.`;
    return [listed(values), hint];
  }
  const expected =
    ownMessage(issue.message) ?? EXPECTED_TYPES[String((issue as { expected?: unknown }).expected)] ?? 'something else';
  if (typeof value === 'number' && expected.startsWith('a duration'))
    return [expected, `Add the unit: ${value}s, ${value}m or ${value}h.`];
  if ((typeof value === 'number' || typeof value === 'boolean') && expected.startsWith('a text'))
    return [expected, `Put it in quotes: "${value}".`];
  return [expected, `Write ${expected}.`];
}

const EXPECTED_TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
};

/** Messages of the schemas say what is expected; those of the library itself begin with these words. */
function ownMessage(message: string): string | null {
  return /^(Invalid|Too |Unrecognized|Expected)/.test(message) ? null : message;
}

function missingHint(path: Path): string {
  const key = String(path.at(-1));
  return `Add \`${key}: …\`.`;
}

/** `tasks.load.retries`; the file itself when empty. */
export function labelOf(path: Path): string {
  if (path.length === 0) return 'The file';
  let label = '';
  for (const member of path) {
    if (typeof member === 'number') label += `[${member}]`;
    else label += /^[\w-]{1,63}$/.test(member) ? `${label === '' ? '' : '.'}${member}` : `[${quote(member)}]`;
  }
  return label;
}

function memberAt(value: unknown, path: readonly (string | number)[]): unknown {
  let current = value;
  for (const member of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, member)) return undefined;
    current = (current as Record<string | number, unknown>)[member];
  }
  return current;
}

/** Keys that the schema knows at `path`, for "did you mean". */
function keysOf(schema: z.ZodType, path: readonly (string | number)[], root: unknown): readonly string[] {
  let current: unknown = schema;
  let rest = [...path];
  for (;;) {
    const definition = (current as { def?: Record<string, unknown> } | undefined)?.def;
    if (definition === undefined) return [];
    if (definition.type === 'optional') current = definition.innerType;
    else if (definition.type === 'union') {
      const isList = Array.isArray(memberAt(root, path.slice(0, path.length - rest.length)));
      const types = isList ? ['array'] : ['object', 'record'];
      current = (definition.options as { def: { type: string } }[]).find((option) => types.includes(option.def.type));
    } else if (rest.length === 0) return definition.type === 'object' ? Object.keys(definition.shape as object) : [];
    else {
      const [next, ...others] = rest;
      rest = others;
      if (definition.type === 'object') current = (definition.shape as Record<string, unknown>)[String(next)];
      else if (definition.type === 'record') current = definition.valueType;
      else if (definition.type === 'array') current = definition.element;
      else return [];
    }
  }
}
