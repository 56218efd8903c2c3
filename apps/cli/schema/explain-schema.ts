import { alternatives, type JsonSchema } from './schema-part.ts';

/** A few lines about a field: what it is, which values it takes, its default, and the fields inside it. */
export function explainSchema(path: string, part: JsonSchema): string[] {
  const shapes = alternatives(part, part);
  const description = [part, ...shapes].find((shape) => typeof shape.description === 'string')?.description;
  const fallback = [part, ...shapes].find((shape) => shape.default !== undefined)?.default;
  const types = [...new Set(shapes.map(shapeText))].filter(Boolean);
  const fields = fieldLines(part, shapes);
  return [
    path,
    ...(description === undefined ? [] : [`  ${String(description).trim().replaceAll('\n', '\n  ')}`]),
    '',
    `  takes    ${types.join(' | ') || 'anything'}`,
    ...(fallback === undefined ? [] : [`  default  ${JSON.stringify(fallback)}`]),
    ...(fields.length === 0 ? [] : ['', '  fields', ...fields]),
  ];
}

function shapeText(shape: JsonSchema): string {
  if (Array.isArray(shape.enum)) return shape.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  const type = Array.isArray(shape.type) ? shape.type.join(' | ') : String(shape.type ?? '');
  if (type === 'array') return `list of ${isObject(shape.items) ? shapeText(shape.items) || 'values' : 'values'}`;
  if (type === 'object') return shape.properties === undefined ? 'map' : 'map with the fields below';
  const limits = [
    shape.minimum === undefined ? '' : `≥ ${String(shape.minimum)}`,
    shape.maximum === undefined || Number(shape.maximum) >= Number.MAX_SAFE_INTEGER ? '' : `≤ ${String(shape.maximum)}`,
    shape.pattern === undefined ? '' : `like ${String(shape.pattern)}`,
  ].filter(Boolean);
  return limits.length === 0 ? type : `${type} (${limits.join(', ')})`;
}

function fieldLines(root: JsonSchema, shapes: readonly JsonSchema[]): string[] {
  const values = shapes.flatMap((shape) => [
    shape,
    ...(isObject(shape.additionalProperties) ? alternatives(root, shape.additionalProperties) : []),
  ]);
  const fields = new Map<string, JsonSchema>();
  for (const { properties } of values)
    for (const [name, schema] of Object.entries(isObject(properties) ? properties : {}))
      if (!fields.has(name) && isObject(schema)) fields.set(name, schema);
  const widest = Math.max(0, ...[...fields.keys()].map((name) => name.length));
  return [...fields].map(([name, schema]) => `    ${name.padEnd(widest)}  ${firstSentence(root, schema)}`.trimEnd());
}

function firstSentence(root: JsonSchema, schema: JsonSchema): string {
  const described = [schema, ...alternatives(root, schema)].find((each) => typeof each.description === 'string');
  return String(described?.description ?? '').split(/(?<=\.)\s|\n/)[0] ?? '';
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
