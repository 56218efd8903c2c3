import { evaluate, renderTemplate } from './evaluate.ts';
import type { Evaluated, Scope } from './scope.ts';
import { hasExpressions, soleExpression } from './template.ts';

/**
 * A JSON value whose texts may hold `${{ }}`, with their values: a text that is one expression and nothing else becomes
 * its value and keeps the type, any other stays a text. Keys are left as they are.
 */
export function renderJson(value: unknown, scope: Scope): Evaluated<unknown> {
  if (typeof value === 'string') {
    if (!hasExpressions(value)) return { ok: true, value };
    const sole = soleExpression(value);
    return sole === null ? renderTemplate(value, scope) : evaluate(sole, scope);
  }
  if (typeof value !== 'object' || value === null) return { ok: true, value };
  const members: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    const rendered = renderJson(member, scope);
    if (!rendered.ok) return rendered;
    members.push([key, rendered.value]);
  }
  return { ok: true, value: Array.isArray(value) ? members.map(([, member]) => member) : Object.fromEntries(members) };
}
