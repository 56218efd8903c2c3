import type { ParamSchema } from '#core';
import { schemaFault, valueFaults } from '../compile/param-value.ts';
import type { AirflowDag } from './airflow-dag.ts';
import type { Names } from './names.ts';
import type { Report } from './report.ts';
import { isMap, TypedValue } from './typed-value.ts';

/** Keywords that only Airflow's form knows. */
const OF_THE_FORM = ['values_display', 'section', 'custom_html_form', 'description_md', 'suggested_values'];

/** The parameters as JSON Schemas with their defaults. */
export function toParams(dag: AirflowDag, names: Names, report: Report): Record<string, Record<string, unknown>> {
  const params: Record<string, Record<string, unknown>> = {};
  for (const [name, value] of entriesOf(dag.args.take('params'))) {
    const given = names.give(name);
    const place = dag.args.placeOf('params');
    if (given !== name)
      report.changed(place, `The parameter "${name}" is called "${given}".`, 'Use that name when you start runs.');
    params[given] = schemaOf(name, value, () =>
      report.changed(place, `The schema of the parameter "${name}" is not kept; any value is taken.`, 'Write it anew.'),
    );
  }
  return params;
}

function entriesOf(value: unknown): [string, unknown][] {
  if (Array.isArray(value))
    return value.filter((pair): pair is [string, unknown] => Array.isArray(pair) && typeof pair[0] === 'string');
  return isMap(value) ? Object.entries(value) : [];
}

function schemaOf(name: string, value: unknown, onFault: () => void): Record<string, unknown> {
  const { initial, description, schema } = partsOf(value);
  const rest = Object.fromEntries(
    Object.entries(schema).filter(([key, member]) => !OF_THE_FORM.includes(key) && key !== 'const' && member !== null),
  ) as ParamSchema;
  const meaning = typeof description === 'string' && description !== '' ? { description } : {};
  const withDefault = initial === undefined ? {} : { default: initial };
  const inferred = rest.type === undefined && !('enum' in rest) ? typeOf(initial) : {};
  // The words of a type are free in a pipeline file, for whatever JSON Schema may name; the shape wants one of six.
  const constraints = { ...inferred, ...rest };
  const fits =
    isKnownType(constraints.type) &&
    schemaFault(constraints) === null &&
    (initial === undefined || valueFaults(constraints, initial).length === 0);
  if (!fits) onFault();
  return { ...(fits ? constraints : {}), ...meaning, ...withDefault };
}

function partsOf(value: unknown): {
  initial: unknown;
  description: unknown;
  schema: Readonly<Record<string, unknown>>;
} {
  const members = value instanceof TypedValue ? value.members : value;
  if (isMap(members) && (value instanceof TypedValue || typeof members.__class === 'string')) {
    const initial = plain(members.default);
    return { initial, description: members.description, schema: isMap(members.schema) ? members.schema : {} };
  }
  return { initial: plain(value), description: undefined, schema: {} };
}

/** No default at all is how Airflow writes None for a parameter that must be given. */
function plain(value: unknown): unknown {
  return value === null || value instanceof TypedValue ? undefined : value;
}

function typeOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'string' || typeof value === 'boolean') return { type: typeof value };
  if (typeof value === 'number') return { type: 'number' };
  if (Array.isArray(value)) return { type: 'array' };
  return isMap(value) ? { type: 'object' } : {};
}

function isKnownType(type: unknown): boolean {
  const known = ['string', 'number', 'integer', 'boolean', 'array', 'object'];
  return type === undefined || (typeof type === 'string' ? known.includes(type) : Array.isArray(type));
}
