import type { AssignmentBody, TaskBody } from '#core';
import type { Evaluated, Scope } from '#dag';
import { namesIn, renderAddress, renderJson, renderTemplate } from '#dag';
import type { Value } from './task-values.ts';

/** The request with every value in its place; `value` collects what cannot be resolved. */
export function httpRequest(
  body: Extract<TaskBody, { kind: 'http' }>,
  scope: Scope,
  value: Value,
): Extract<AssignmentBody, { kind: 'http' }> {
  const { url, query, headers, content, ...rest } = body;
  const used = [body.expr, ...Object.values(body.outputs)].flatMap((expr) => (expr === null ? [] : namesIn(expr)));
  const address = value('url', renderAddress(url, scope), 'http://unknown/');
  const parameters = value('query', renderJson(query, scope), {}) as Readonly<Record<string, unknown>>;
  return {
    ...rest,
    url: withQuery(address, parameters),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, text]) => [name, value(`header ${name}`, headerValue(text, scope), '')]),
    ),
    content:
      content === null
        ? null
        : 'text' in content
          ? value('body', renderTemplate(content.text, scope), '')
          : JSON.stringify(value('json', renderJson(content.json, scope), null)),
    ...(content !== null && 'json' in content ? { isJson: true as const } : {}),
    scope: Object.fromEntries(Object.entries(scope).filter(([name]) => used.includes(name))),
  };
}

function withQuery(address: string, query: Readonly<Record<string, unknown>>): string {
  const url = new URL(address);
  for (const [name, given] of Object.entries(query))
    for (const item of [given].flat())
      url.searchParams.append(name, typeof item === 'string' ? item : JSON.stringify(item));
  return url.href;
}

/** A line break in a value would begin a header of its own. */
function headerValue(text: string, scope: Scope): Evaluated<string> {
  const rendered = renderTemplate(text, scope);
  if (!rendered.ok || /^[\t\x20-\x7e\x80-\xff]*$/.test(rendered.value)) return rendered;
  return { ok: false, message: 'it holds a line break or another character that no header can hold' };
}
