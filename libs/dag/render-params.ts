import type { EnvironmentConfig } from '#core';
import { evaluate, renderTemplate } from './expression/evaluate.ts';
import type { Evaluated, Scope } from './expression/scope.ts';
import { hasExpressions, soleExpression } from './expression/template.ts';

/**
 * Parameters made from the payload of an event: a text that is one `${{ }}` and nothing else takes the value as it is, others
 * the text it makes. Whether they fit their schemas, `resolveParams` says.
 */
export function renderParams(
  params: Readonly<Record<string, unknown>>,
  payload: unknown,
  environment: Pick<EnvironmentConfig, 'name' | 'vars'>,
): Evaluated<Record<string, unknown>> {
  const scope: Scope = {
    event: payload,
    params: {},
    env: { name: environment.name, vars: environment.vars },
    run: { id: '', trigger: 'event', release: '', interval: null },
  };
  return renderValues(params, scope);
}

/** Each value with its expressions resolved. */
export function renderValues(
  params: Readonly<Record<string, unknown>>,
  scope: Scope,
): Evaluated<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(params)) {
    const isText = typeof value === 'string' && hasExpressions(value);
    const sole = isText ? soleExpression(value) : null;
    const rendered = sole !== null ? evaluate(sole, scope) : isText ? renderTemplate(value, scope) : null;
    if (rendered !== null && !rendered.ok) return { ok: false, message: `params.${name}: ${rendered.message}` };
    values[name] = rendered === null ? value : rendered.value;
  }
  return { ok: true, value: values };
}
