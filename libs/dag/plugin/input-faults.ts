import type { ErrorObject } from 'ajv';
import type { ParamSchema } from '#core';
import { schemaErrors } from '../compile/param-value.ts';
import { hasExpressions } from '../expression/template.ts';
import { labelOf } from '../shape/label.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';

export interface InputFault {
  /** Of the value within `with`. */
  readonly path: readonly (string | number)[];
  /** The fault is this key of it. */
  readonly key?: string;
  readonly message: string;
  readonly hint: string;
}

/**
 * What is wrong with `with:` by the schema of its plugin. With `templates`, values that hold `${{ }}` are not known yet
 * and are judged when they are.
 */
export function inputFaults(
  schema: ParamSchema,
  value: unknown,
  { templates = false }: { readonly templates?: boolean } = {},
): InputFault[] {
  return schemaErrors(schema, value).flatMap((error) => {
    const path = pathOf(error, value);
    const member = memberAt(value, path);
    const isKnown = error.keyword === 'required' || error.keyword === 'additionalProperties';
    return templates && !isKnown && holdsTemplate(member) ? [] : [faultOf(error, path, member)];
  });
}

function faultOf(
  { keyword, params, message = 'does not match', parentSchema }: ErrorObject,
  path: InputFault['path'],
  value: unknown,
): InputFault {
  const label = labelOf(['with', ...path]);
  const known = Object.keys((parentSchema as { properties?: object } | undefined)?.properties ?? {});
  if (keyword === 'additionalProperties') {
    const key = String(params.additionalProperty);
    const hint = didYouMean(key, known, known.length === 0 ? 'Remove it.' : `Known keys: ${known.join(', ')}.`);
    return { path, key, message: `The key ${quote(key)} in ${label} is not known.`, hint };
  }
  if (keyword === 'required') {
    const key = String(params.missingProperty);
    return { path, message: `${label} has no ${quote(key)}.`, hint: `Add \`${key}: …\`.` };
  }
  if (keyword === 'enum') {
    const allowed = (params.allowedValues as unknown[]).map(String);
    const hint = didYouMean(String(value), allowed, `Write one of ${allowed.join(', ')}.`);
    return { path, message: `${label} is ${quote(value)}; expected one of ${allowed.join(', ')}.`, hint };
  }
  return {
    path,
    message: `${label} is ${quote(value)}; it ${message}.`,
    hint: 'Write what the plugin takes: `sluice plugins list`.',
  };
}

/** JSON pointers name members of lists by text. */
function pathOf({ instancePath }: ErrorObject, root: unknown): (string | number)[] {
  const path: (string | number)[] = [];
  for (const part of instancePath.split('/').slice(1)) {
    const member = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(memberAt(root, path)) ? Number(member) : member);
  }
  return path;
}

function memberAt(value: unknown, path: readonly (string | number)[]): unknown {
  let current = value;
  for (const member of path) current = (current as Record<string | number, unknown> | undefined)?.[member];
  return current;
}

function holdsTemplate(value: unknown): boolean {
  if (typeof value === 'string') return hasExpressions(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsTemplate);
}
