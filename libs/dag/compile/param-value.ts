import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { ParamSchema } from '#core';
import { canonicalJson } from '../canonical-json.ts';
import { linearRegex } from '../expression/cel-environment.ts';
import { quote } from '../source/quote.ts';

/** Patterns of parameters meet values from outside: they run on the linear-time engine too. */
const regExp = Object.assign(
  (pattern: string) => {
    const compiled = linearRegex(pattern);
    // The validator keeps patterns by their text: without one of its own, the first pattern would stand for all.
    return { test: (text: string) => compiled.matcher(text).find(), toString: () => `/${pattern}/` };
  },
  { code: 'linearRegex' },
);
const ajv = new Ajv({
  strict: true,
  allErrors: true,
  verbose: true,
  ownProperties: true,
  allowUnionTypes: true,
  code: { regExp },
});
const validators = new Map<string, ValidateFunction>();

/** What is wrong with the schema itself; null when it can be used. */
export function schemaFault(schema: ParamSchema): string | null {
  if (isSimple(schema)) return null;
  try {
    validatorOf(schema);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What is wrong with `value` by `schema`, each as `is 5; expected at most 1`; empty when it is fine. */
export function valueFaults(schema: ParamSchema, value: unknown): string[] {
  // Compiling a validator takes a millisecond, and ten thousand files have ten thousand plain parameters.
  if (isSimple(schema)) return simpleFaults(schema, value);
  const validate = validatorOf(schema);
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => {
    const where = error.instancePath === '' ? '' : ` at ${error.instancePath}`;
    return `is ${quote(value)}${where}; it ${error.message ?? 'does not match'}`;
  });
}

/** What the validator itself says of `value`; empty when it is fine. */
export function schemaErrors(schema: ParamSchema, value: unknown): readonly ErrorObject[] {
  const validate = validatorOf(schema);
  return validate(value) ? [] : (validate.errors ?? []);
}

/** Text from a command line or a query as the type that the schema asks for; anything else as it is. */
export function coerced(schema: ParamSchema, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const types = typesOf(schema);
  if (types.includes('string')) return value;
  if (
    (types.includes('number') || types.includes('integer')) &&
    /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value.trim())
  )
    return Number(value);
  if (types.includes('boolean') && (value === 'true' || value === 'false')) return value === 'true';
  if (types.includes('null') && value === 'null') return null;
  if (types.includes('array') || types.includes('object')) return parsedJson(value);
  return value;
}

export function typesOf(schema: ParamSchema): readonly string[] {
  const type: unknown = schema.type;
  if (typeof type === 'string') return [type];
  return Array.isArray(type) ? type.map(String) : [];
}

const SIMPLE_KEYWORDS = new Set([
  'type',
  'default',
  'title',
  'description',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
]);

function isSimple(schema: ParamSchema): boolean {
  const isScalar = ['string', 'number', 'integer', 'boolean'].includes(schema.type ?? '');
  return (
    isScalar && Object.entries(schema).every(([key, value]) => SIMPLE_KEYWORDS.has(key) && hasRightType(key, value))
  );
}

function hasRightType(keyword: string, value: unknown): boolean {
  if (keyword === 'enum') return Array.isArray(value) && value.length > 0;
  return ['minimum', 'maximum', 'minLength', 'maxLength'].includes(keyword) ? typeof value === 'number' : true;
}

function simpleFaults(schema: ParamSchema, value: unknown): string[] {
  const expect = (holds: boolean, expected: string): string[] =>
    holds ? [] : [`is ${quote(value)}; expected ${expected}`];
  const { type = '' } = schema;
  const isRightType = type === 'integer' ? Number.isSafeInteger(value) : typeof value === type && !Number.isNaN(value);
  if (!isRightType)
    return expect(false, type === 'integer' ? 'a whole number' : `a ${type === 'string' ? 'text' : type}`);
  const size = typeof value === 'string' ? [...value].length : 0;
  const options = schema.enum as readonly unknown[] | undefined;
  return [
    ...expect(options === undefined || options.includes(value), `one of ${(options ?? []).map(quote).join(', ')}`),
    ...expect(!(Number(value) < Number(schema.minimum)), `at least ${String(schema.minimum)}`),
    ...expect(!(Number(value) > Number(schema.maximum)), `at most ${String(schema.maximum)}`),
    ...expect(!(size < Number(schema.minLength)), `at least ${String(schema.minLength)} characters`),
    ...expect(!(size > Number(schema.maxLength)), `at most ${String(schema.maxLength)} characters`),
  ];
}

function validatorOf(schema: ParamSchema): ValidateFunction {
  const key = canonicalJson(schema);
  let validate = validators.get(key);
  if (validate === undefined) {
    if (validators.size > 2_000) {
      validators.clear();
      ajv.removeSchema();
    }
    validators.set(key, (validate = ajv.compile(schema)));
  }
  return validate;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the schema's own message about the text is clearer than a parser's.
    return text;
  }
}
