import { SluiceError } from '#core';

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The part of a JSON Schema at a dotted path, `tasks.retries`. Where a map or a list stands, its key may be given
 * (`tasks.ingest.retries`) or left out. References are followed. Throws `not_found` naming what would have been possible.
 */
export function schemaPart(root: JsonSchema, path: string): JsonSchema {
  let current: JsonSchema[] = alternatives(root, root);
  const walked: string[] = [];
  for (const segment of path.split('.').filter(Boolean)) {
    const next = step(root, current, segment);
    if (next.length === 0) throw unknownField(walked, segment, keysOf(root, current));
    current = next.flatMap((schema) => alternatives(root, schema));
    walked.push(segment);
    if (next.length === 1 && walked.length === path.split('.').filter(Boolean).length)
      return withDefinitions(root, next[0] ?? {});
  }
  if (walked.length === 0) return root;
  return withDefinitions(root, current.length === 1 ? (current[0] ?? {}) : { anyOf: current });
}

/** Names of the fields that may stand here, sorted; inside maps and lists, those of their values. */
export function keysOf(root: JsonSchema, schemas: readonly JsonSchema[]): string[] {
  const own = schemas.flatMap((schema) => Object.keys(record(schema.properties)));
  const inner = valueSchemas(root, schemas).flatMap((schema) => Object.keys(record(schema.properties)));
  return [...new Set(own.length > 0 ? own : inner)].sort();
}

/** The schema with its reference followed, and each member of `anyOf`, `oneOf` and `allOf` as one. */
export function alternatives(root: JsonSchema, schema: JsonSchema, depth = 0): JsonSchema[] {
  if (depth > 20) return [];
  const target = typeof schema.$ref === 'string' ? resolveReference(root, schema.$ref) : schema;
  const members = ['anyOf', 'oneOf', 'allOf'].flatMap((word) => list(target[word]));
  const inner = members.flatMap((member) => alternatives(root, member, depth + 1));
  return members.length > 0 && target.properties === undefined ? inner : [target, ...inner];
}

function step(root: JsonSchema, schemas: readonly JsonSchema[], segment: string): JsonSchema[] {
  const direct = property(schemas, segment);
  if (direct.length > 0) return direct;
  const values = valueSchemas(root, schemas);
  // `tasks.retries`: the task's name was left out; `tasks.ingest`: it was given.
  const skipped = property(values, segment);
  if (skipped.length > 0) return skipped;
  const isMap = schemas.some((schema) => mapValues(schema).length > 0) || (/^\d+$/.test(segment) && values.length > 0);
  return isMap ? values : [];
}

function property(schemas: readonly JsonSchema[], name: string): JsonSchema[] {
  return schemas.flatMap(({ properties }) => {
    const known = record(properties);
    return Object.hasOwn(known, name) ? [known[name] as JsonSchema] : [];
  });
}

function valueSchemas(root: JsonSchema, schemas: readonly JsonSchema[]): JsonSchema[] {
  return schemas
    .flatMap((schema) => [...mapValues(schema), ...(isSchema(schema.items) ? [schema.items] : [])])
    .flatMap((schema) => alternatives(root, schema));
}

function mapValues(schema: JsonSchema): JsonSchema[] {
  const patterns = Object.values(record(schema.patternProperties)).filter(isSchema);
  return [...patterns, ...(isSchema(schema.additionalProperties) ? [schema.additionalProperties] : [])];
}

function resolveReference(root: JsonSchema, reference: string): JsonSchema {
  const parts = reference.replace(/^#\/?/, '').split('/').filter(Boolean);
  let current: unknown = root;
  for (const part of parts) current = record(current)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  return isSchema(current) ? current : {};
}

/** What the part refers to comes with it, so that it stands alone. */
function withDefinitions(root: JsonSchema, part: JsonSchema): JsonSchema {
  const { definitions, $defs } = root;
  if (!JSON.stringify(part).includes('"$ref"')) return part;
  return { ...part, ...(definitions === undefined ? {} : { definitions }), ...($defs === undefined ? {} : { $defs }) };
}

function unknownField(walked: readonly string[], segment: string, known: readonly string[]): SluiceError {
  const place = walked.length === 0 ? 'A pipeline file' : `"${walked.join('.')}"`;
  return new SluiceError('not_found', `${place} has no field "${segment}".`, {
    hint: known.length > 0 ? `It has: ${known.join(', ')}.` : 'It has no fields.',
  });
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return isSchema(value) ? value : {};
}

function list(value: unknown): JsonSchema[] {
  return Array.isArray(value) ? value.filter(isSchema) : [];
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
