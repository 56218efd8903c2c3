import type { ParamSchema } from '#core';
import { CEL_NUMBER } from '../expression/expression-types.ts';
import type { ParamShape } from '../shape/pipeline-shape.ts';
import type { Compiling } from './compiling.ts';
import type { Entries } from './sections.ts';
import { schemaFault, typesOf, valueFaults } from './param-value.ts';

/** The parameters under `params:`; faulty ones are reported and left without constraints, so that names stay known. */
export function compileParams(section: Entries<ParamShape>, compiling: Compiling): Record<string, ParamSchema> {
  const params: Record<string, ParamSchema> = {};
  for (const [name, shape] of Object.entries(section.entries)) {
    const path = ['params', name];
    const schema = (shape ?? {}) as ParamSchema;
    const { default: initial, ...constraints } = schema;
    params[name] = {};
    if (shape === null) continue;
    const fault = schemaFault(constraints);
    if (fault !== null) {
      compiling.at(
        path,
        `params.${name} is not a valid JSON Schema: ${fault}.`,
        'See "type", "enum", "minimum", "maximum", "pattern", "items".',
      );
      continue;
    }
    if (initial !== undefined)
      for (const wrong of valueFaults(constraints, initial))
        compiling.at([...path, 'default'], `params.${name}.default ${wrong}.`, 'Change the default or the schema.');
    params[name] = schema;
  }
  return params;
}

/** CEL types of the parameters, for checking expressions. */
export function paramTypes(params: Readonly<Record<string, ParamSchema>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, schema]) => [name, celType(schema)]));
}

function celType(schema: ParamSchema): string {
  const [type, more] = typesOf(schema);
  if (type === undefined || more !== undefined) return 'dyn';
  return (
    { string: 'string', number: CEL_NUMBER, integer: CEL_NUMBER, boolean: 'bool', array: 'list', object: 'map' }[
      type
    ] ?? 'dyn'
  );
}
