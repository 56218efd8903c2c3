import type { z } from 'zod';
import type { ProblemList } from '../source/problem-list.ts';
import { quote } from '../source/quote.ts';
import type { Path, Places } from '../source/source-map.ts';
import { expectationOf, expectedOf } from './expecting.ts';
import { labelOf } from './label.ts';
import { unknownKey } from './unknown-key.ts';

type Issue = z.core.$ZodIssue;

/** Adds one problem for each fault that `schema` finds in `value`, which stands at `path`; returns the parsed value or null. */
export function checkShape<T extends z.ZodType>(
  schema: T,
  value: unknown,
  path: Path,
  map: Places,
  problems: ProblemList,
): z.infer<T> | null {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const reported = new Set<string>();
  for (const leaf of parsed.error.issues.flatMap((issue) => leavesOf(issue, []))) {
    // A text that fails two rules is one mistake; the first rule says it best.
    const key = `${leaf.path.join('/')}${leaf.code === 'unrecognized_keys' ? ' keys' : ''}`;
    if (reported.has(key)) continue;
    reported.add(key);
    report(leaf, { schema, root: value, base: path, map, problems });
  }
  return null;
}

/** Adds a problem for each member of `value` that is not among `known`. */
export function checkKeys(
  value: object,
  known: readonly string[],
  path: Path,
  map: Places,
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
    // A branch was meant if it took the value for what it is and complains about something inside.
    const meant = issue.errors.find((branch) => branch.every((inner) => isInside(inner)));
    if (meant !== undefined) return meant.flatMap((inner) => leavesOf(inner as Issue, path));
  }
  return [{ ...issue, path } as Issue];
}

function isInside(issue: z.core.$ZodIssue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys' || issue.code === 'too_small';
}

/** Where a shape is being checked. */
interface Place {
  readonly schema: z.ZodType;
  readonly root: unknown;
  readonly base: Path;
  readonly map: Places;
  readonly problems: ProblemList;
}

function report(issue: Issue, { schema, root, base, map, problems }: Place): void {
  const inner = issue.path.map((member) => (typeof member === 'number' ? member : String(member)));
  const path = [...base, ...inner];
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      const { message, hint } = unknownKey(key, path, keysOf(schema, inner, root));
      problems.add(map.key([...path, key]), message, hint);
    }
    return;
  }
  if (issue.code === 'invalid_key') {
    const name = quote(String(inner.at(-1)));
    const message = `${labelOf(path.slice(0, -1))}: the name ${name} is not valid.`;
    problems.add(map.key(path), message, `Use ${expectedOf(issue.issues[0]?.message)}.`);
    return;
  }
  const value = memberAt(root, inner);
  if (value === undefined) {
    const owner = path.slice(0, -1);
    const message = `${labelOf(owner)} has no ${quote(path.at(-1))}.`;
    problems.add(map.key(owner), message, `Add \`${String(path.at(-1))}: …\`.`);
    return;
  }
  const { expected, hint } = expectationOf(issue, value);
  problems.add(map.value(path), `${labelOf(path)} is ${quote(value)}; expected ${expected}.`, hint);
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
