import type { TaskBody } from '#core';

/** A request as people write one down; secrets by their name. */
export function httpText(body: Extract<TaskBody, { kind: 'http' }>): string {
  const { method, url, query, headers, secretHeaders, content } = body;
  const lines = [
    `${method} ${url}`,
    ...Object.entries(query).map(([name, value]) => `  ${name} = ${text(value)}`),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...Object.entries(secretHeaders).map(([name, { secret, prefix }]) => `${name}: ${prefix}(secret ${secret})`),
  ];
  if (content !== null) lines.push('', 'json' in content ? JSON.stringify(content.json, null, 2) : content.text);
  if (body.expr !== null) lines.push('', `expects ${body.expr}`);
  return lines.join('\n');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
