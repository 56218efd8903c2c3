/** A parameter of the trigger form, read from its JSON Schema (draft-07 subset). */
export interface ParamField {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'json';
  readonly description: string;
  readonly required: boolean;
  readonly choices: readonly { readonly text: string; readonly value: unknown }[];
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  readonly pattern: string | undefined;
  /** What the field shows at first; text, because that is what is typed. */
  readonly initial: string;
}

type Schema = Readonly<Record<string, unknown>>;

export function paramFields(params: Readonly<Record<string, Schema>>): ParamField[] {
  return Object.entries(params).map(([name, schema]) => {
    const kind = kindOf(schema);
    return {
      name,
      kind,
      description: typeof schema['description'] === 'string' ? schema['description'] : '',
      required: schema['default'] === undefined,
      choices: Array.isArray(schema['enum'])
        ? schema['enum'].map((value: unknown) => ({ text: show(value), value }))
        : [],
      minimum: numberOf(schema['minimum']),
      maximum: numberOf(schema['maximum']),
      pattern: typeof schema['pattern'] === 'string' ? schema['pattern'] : undefined,
      initial:
        schema['default'] === undefined
          ? ''
          : kind === 'json'
            ? JSON.stringify(schema['default'])
            : show(schema['default']),
    };
  });
}

export type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };

/** What was typed as the value the API wants, or what is wrong with it. The server checks again; this only answers sooner. */
export function parseParam(field: ParamField, typed: string): Parsed {
  if (typed === '' && field.kind !== 'text')
    return field.required ? no('needs a value') : { ok: true, value: undefined };
  switch (field.kind) {
    case 'boolean':
      return { ok: true, value: typed === 'true' };
    case 'number':
    case 'integer':
      return parseNumber(field, typed);
    case 'json':
      try {
        return { ok: true, value: JSON.parse(typed) as unknown };
      } catch {
        return no('is not JSON: write ["a", "b"] or {"key": 1}');
      }
    case 'choice': {
      const choice = field.choices.find((one) => one.text === typed);
      return choice === undefined ? no('is not one of the choices') : { ok: true, value: choice.value };
    }
    case 'text':
      return matches(field.pattern, typed) ? { ok: true, value: typed } : no(`does not match ${field.pattern}`);
    default:
      return { ok: true, value: typed };
  }
}

function parseNumber(field: ParamField, typed: string): Parsed {
  const value = Number(typed);
  if (typed.trim() === '' || !Number.isFinite(value)) return no('is not a number');
  if (field.kind === 'integer' && !Number.isInteger(value)) return no('is not a whole number');
  if (field.minimum !== undefined && value < field.minimum) return no(`is below ${field.minimum}`);
  if (field.maximum !== undefined && value > field.maximum) return no(`is above ${field.maximum}`);
  return { ok: true, value };
}

function kindOf(schema: Schema): ParamField['kind'] {
  if (Array.isArray(schema['enum'])) return 'choice';
  switch (schema['type']) {
    case 'number':
    case 'integer':
    case 'boolean':
      return schema['type'];
    case 'string':
      return 'text';
    default:
      return 'json';
  }
}

/** An author's pattern that this engine does not know is left to the server. */
function matches(pattern: string | undefined, typed: string): boolean {
  if (pattern === undefined) return true;
  try {
    return new RegExp(pattern, 'u').test(typed);
  } catch {
    return true;
  }
}

/** Strings as they are, anything else as JSON: choices may be numbers. */
function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function no(message: string): Parsed {
  return { ok: false, message };
}
