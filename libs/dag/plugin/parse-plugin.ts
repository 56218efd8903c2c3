import type { ParamSchema, Plugin, Problem } from '#core';
import { schemaFault } from '../compile/param-value.ts';
import { Compiling } from '../compile/compiling.ts';
import { checkShape } from '../shape/shape-problems.ts';
import { ProblemList } from '../source/problem-list.ts';
import { quote } from '../source/quote.ts';
import { pluginShape } from './plugin-shape.ts';
import { readYaml } from '../source/read-yaml.ts';

export interface ParsedPlugin {
  /** Null when there is any problem. */
  readonly plugin: Plugin | null;
  readonly problems: Problem[];
}

/** Reads the text of `plugins/<name>/plugin.yaml`; `knownFiles`, paths below `dags/`, say whether its code is there. */
export function parsePlugin(file: string, text: string, knownFiles?: ReadonlySet<string>): ParsedPlugin {
  const problems = new ProblemList(file);
  const source = readYaml(text, problems);
  if (source === null) return { plugin: null, problems: problems.toArray() };
  const compiling = new Compiling(file, source.map, problems);
  const shape = checkShape(pluginShape, source.value ?? {}, [], source.map, problems);
  if (shape === null) return { plugin: null, problems: problems.toArray() };
  const folder = file.slice(0, file.lastIndexOf('/'));
  const name = folder.slice(folder.lastIndexOf('/') + 1);
  if (shape.name !== name)
    compiling.at(['name'], `The plugin ${quote(shape.name)} stands in the folder ${quote(name)}.`, 'Name both alike.');
  if (shape.package === undefined && knownFiles !== undefined && !knownFiles.has(`${folder}/${shape.entry}`))
    compiling.at(
      ['entry'],
      `The file ${quote(shape.entry)} does not exist in dags/${folder}.`,
      'Create it, or correct the path.',
    );
  const input = shape.with as ParamSchema;
  const fault = input.type === 'object' ? schemaFault(input) : 'it describes no map (`type: object`)';
  if (fault !== null)
    compiling.at(
      ['with'],
      `with is no JSON Schema that can be used: ${fault}.`,
      'Write `type: object` and `properties:`.',
    );
  const found = problems.toArray();
  const plugin = {
    name: shape.name,
    version: shape.version,
    description: shape.description ?? '',
    package: shape.package ?? null,
    entry: shape.entry,
    network: shape.network ?? false,
    input,
  };
  return { plugin: found.length === 0 ? plugin : null, problems: found };
}
