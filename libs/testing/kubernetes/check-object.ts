import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';

type Schema = Record<string, unknown>;
interface KindOf {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const OUTSIDE = 'https://kubernetes/';
const checks = new Map<string, ValidateFunction>();

/** Read at the first question: most who import what tests need never ask one. */
let published: { readonly definitions: Record<string, Schema>; readonly ajv: Ajv } | null = null;
function schemas() {
  if (published !== null) return published;
  const { definitions } = JSON.parse(readFileSync(join(import.meta.dirname, 'schemas.json'), 'utf8')) as {
    definitions: Record<string, Schema>;
  };
  const ajv = new Ajv({ strict: false, allErrors: true, formats: formats() });
  ajv.addSchema({
    $id: OUTSIDE,
    definitions: Object.fromEntries(Object.entries(definitions).map(([name, schema]) => [name, strict(schema)])),
  });
  return (published = { definitions, ajv });
}

/** What the published schema of Kubernetes says against an object; unknown fields count, as with `fieldValidation=Strict`. */
export function checkObject(object: unknown): string[] {
  const { apiVersion, kind } = (object ?? {}) as { apiVersion?: string; kind?: string };
  const [version = '', group = ''] = (apiVersion ?? '').split('/').reverse();
  const { definitions } = schemas();
  const name = Object.keys(definitions).find((each) =>
    (definitions[each]?.['x-kubernetes-group-version-kind'] as KindOf[] | undefined)?.some(
      (one) => one.group === group && one.version === version && one.kind === kind,
    ),
  );
  return name === undefined ? [`no schema of ${apiVersion} ${kind}`] : checkAs(name, object);
}

/** The same for a part of an object: `io.k8s.api.core.v1.PodSpec`. */
export function checkAs(name: string, value: unknown): string[] {
  const check = checks.get(name) ?? schemas().ajv.compile({ $ref: `${OUTSIDE}#/definitions/${name}` });
  checks.set(name, check);
  if (check(value)) return [];
  return (check.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** OpenAPI leaves fields open that it does not name; Kubernetes does not. */
function strict(schema: Schema): Schema {
  const properties = schema['properties'] as Record<string, Schema> | undefined;
  if (properties === undefined) return intOrString(schema);
  return {
    ...schema,
    additionalProperties: false,
    properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, intOrString(one)])),
  };
}

/** Ports by name or number: the document says text. */
function intOrString(schema: Schema): Schema {
  return schema['format'] === 'int-or-string' ? { type: ['string', 'integer'] } : schema;
}

function formats() {
  const isInteger = (value: number): boolean => Number.isInteger(value);
  return {
    int32: { type: 'number' as const, validate: (value: number) => isInteger(value) && Math.abs(value) < 2 ** 31 },
    int64: { type: 'number' as const, validate: isInteger },
    double: { type: 'number' as const, validate: () => true },
    byte: /^[A-Za-z0-9+/]*={0,2}$/,
    'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
    'int-or-string': true as const,
  };
}
