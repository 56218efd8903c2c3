import { canonicalJson } from '../canonical-json.ts';
import { code } from '../source/quote.ts';
import { faultOf, parseProgram } from './program.ts';
import type { Evaluated, Scope } from './scope.ts';
import { hasExpressions, splitTemplate } from './template.ts';

/** A rendered value may not be longer; larger things belong into files. */
const MAX_RENDERED_BYTES = 100 * 1024;

const INTERVAL_NAMES = new Set(['ds', 'ds_nodash', 'ts', 'data_interval_start', 'data_interval_end']);

/**
 * Evaluates CEL (without `${{ }}`) and returns plain JSON: integers are numbers, timestamps ISO text. Never throws;
 * parsed programs are cached by text, and the work of one evaluation is bounded.
 */
export function evaluate(expression: string, scope: Scope): Evaluated<unknown> {
  const parsed = parseProgram(expression);
  const refuse = (message: string): Evaluated<never> => ({
    ok: false,
    message: `Expression ${code(expression)} cannot be evaluated: ${message}.`,
  });
  if (!parsed.ok) return refuse(parsed.message);
  const absent = parsed.program.references.find(({ root }) => valueAt(scope, root) === undefined);
  if (absent !== undefined) return refuse(absenceOf(absent.root));
  try {
    return { ok: true, value: plainValue(parsed.program.run(scope)) };
  } catch (error) {
    return refuse(faultOf(error).message);
  }
}

/** The names that an expression begins with: what of a scope it sees. */
export function namesIn(expression: string): string[] {
  const parsed = parseProgram(expression);
  return parsed.ok ? [...new Set(parsed.program.references.map(({ root }) => root))] : [];
}

/** Replaces each `${{ }}` by its value: text as it is, numbers and booleans in JSON's form, lists and maps as JSON. */
export function renderTemplate(text: string, scope: Scope): Evaluated<string> {
  return render(text, scope, (value) => value);
}

/** The same for an address: no value can add a part of the path or a parameter of the query. */
export function renderUrl(text: string, scope: Scope): Evaluated<string> {
  return render(text, scope, encodeURIComponent);
}

function render(text: string, scope: Scope, encode: (value: string) => string): Evaluated<string> {
  if (!hasExpressions(text)) return { ok: true, value: text };
  const split = splitTemplate(text);
  if (!split.ok) return { ok: false, message: `Text \`${text}\` cannot be rendered: ${split.message}.` };
  let rendered = '';
  for (const part of split.parts) {
    if (part.kind === 'text') {
      rendered += part.text;
      continue;
    }
    const value = evaluate(part.expression, scope);
    if (!value.ok) return value;
    const asText = renderValue(value.value, part.expression);
    if (!asText.ok) return asText;
    rendered += encode(asText.value);
  }
  return { ok: true, value: rendered };
}

/** The text form of one value, as it goes into an environment variable or a template. */
export function renderValue(value: unknown, expression: string): Evaluated<string> {
  const refuse = (message: string): Evaluated<string> => ({
    ok: false,
    message: `Expression ${code(expression)} ${message}.`,
  });
  if (value === null) return refuse('is null, which has no text form; test for it: `x == null ? "" : string(x)`');
  const text = typeof value === 'string' ? value : typeof value === 'object' ? canonicalJson(value) : String(value);
  if (text.includes('\0')) return refuse('gives a text with a NUL character, which no variable can hold; use a file');
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_RENDERED_BYTES)
    return refuse(`gives ${bytes} bytes; at most ${MAX_RENDERED_BYTES} fit into a variable; use a file`);
  return { ok: true, value: text };
}

function valueAt(scope: Scope, name: string): unknown {
  return Object.hasOwn(scope, name) ? scope[name as keyof Scope] : undefined;
}

function absenceOf(root: string): string {
  if (INTERVAL_NAMES.has(root))
    return `"${root}" needs a data interval and this run has none; start it with one (--at, or --from and --to)`;
  return `"${root}" is not known here`;
}

function plainValue(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint': {
      const number = Number(value);
      if (!Number.isSafeInteger(number)) throw new Error(`the integer ${value} is beyond 2^53`);
      return number;
    }
    case 'number':
      if (!Number.isFinite(value)) throw new Error(`the result is ${value}, not a finite number`);
      return value;
    case 'string':
    case 'boolean':
      return value;
    default:
      return plainObject(value);
  }
}

function plainObject(value: unknown): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(plainValue);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object') throw new Error('the result is not a value');
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plainValue(member)]));
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, member]) => [String(plainValue(key)), plainValue(member)]));
  const primitive: unknown = value.valueOf();
  if (typeof primitive === 'bigint') return plainValue(primitive);
  if (typeof primitive === 'number') return String(value);
  throw new Error('the result is neither text, number, boolean, list nor map');
}
