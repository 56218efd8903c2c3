import type { Environment } from '@marcbachmann/cel-js';
import { celEnvironment } from './cel-environment.ts';
import type { ExpressionFault } from './check-expression.ts';
import { code } from '../source/quote.ts';
import { faultOf, SCOPE_NAMES } from './program.ts';

/** What the place of an expression can use. */
export type ResultKind = 'condition' | 'list' | 'text';

/** Types of the members that a pipeline declares, as CEL type names. */
export interface ExpressionTypes {
  readonly params: Readonly<Record<string, string>>;
  readonly matrix: Readonly<Record<string, string>>;
}

/** JSON's only number type, for int and double literals alike. */
export const CEL_NUMBER = 'dyn<double>';

const environments = new Map<string, Environment>();

/** A fault of types (`params.name > 3`) or of the result; names are already checked. */
export function typeFault(expression: string, types: ExpressionTypes, result: ResultKind): ExpressionFault | null {
  const checked = environmentFor(types).check(expression);
  if (!checked.valid) {
    const { message, offset } = faultOf(checked.error);
    return {
      offset,
      message: `Expression ${code(expression)} is not valid: ${message}.`,
      hint: 'Convert one side with string(…), int(…) or double(…), or compare values of one type.',
    };
  }
  const type = checked.type ?? 'dyn';
  if (type === 'dyn' || RESULTS[result].types.test(type)) return null;
  const { expected, hint } = RESULTS[result];
  return { offset: 0, message: `Expression ${code(expression)} gives ${described(type)}; expected ${expected}.`, hint };
}

const RESULTS: Readonly<Record<ResultKind, { types: RegExp; expected: string; hint: string }>> = {
  condition: { types: /^(bool|dyn<bool>)$/, expected: 'true or false', hint: 'Compare it: ==, !=, <, >, has(…).' },
  list: { types: /^(dyn<)?list/, expected: 'a list', hint: 'Give a list, such as tasks.split.outputs.parts.' },
  text: {
    types: /^(?!type$|bytes$)/,
    expected: 'a text, number, boolean, list or map',
    hint: 'Convert it with string(…).',
  },
};

function described(type: string): string {
  return type === CEL_NUMBER || type === 'int' || type === 'double' ? 'a number' : `a ${type.replace(/<.*/, '')}`;
}

function environmentFor(types: ExpressionTypes): Environment {
  const key = JSON.stringify(types);
  let environment = environments.get(key);
  if (environment === undefined) {
    if (environments.size > 500) environments.clear();
    environments.set(key, (environment = build(types)));
  }
  return environment;
}

function build(types: ExpressionTypes): Environment {
  const environment = celEnvironment();
  for (const name of SCOPE_NAMES) {
    if (name === 'params' || name === 'matrix') {
      const schema = types[name];
      if (Object.keys(schema).length > 0) environment.registerVariable({ name, schema: { ...schema } });
      else environment.registerVariable(name, 'dyn');
    } else environment.registerVariable(name, TYPES[name] ?? 'string');
  }
  return environment;
}

const TYPES: Readonly<Record<string, string>> = {
  env: 'dyn',
  run: 'dyn',
  paths: 'map<string, string>',
  tasks: 'dyn',
  metrics: `map<string, ${CEL_NUMBER}>`,
  baseline: `map<string, ${CEL_NUMBER}>`,
  outputs: 'dyn',
  response: 'dyn',
  now: 'google.protobuf.Timestamp',
  event: 'dyn',
};
