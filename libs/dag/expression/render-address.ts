import { renderTemplate, renderUrl } from './evaluate.ts';
import { quote } from '../source/quote.ts';
import type { Evaluated, Scope } from './scope.ts';
import { splitTemplate } from './template.ts';

/**
 * The address of a request: every value is encoded, so that none adds a part of the path or a parameter. An expression
 * at the very beginning is the address of the environment (`env.vars.api`) and is taken as it is.
 */
export function renderAddress(text: string, scope: Scope): Evaluated<string> {
  const split = splitTemplate(text);
  const [first] = split.ok ? split.parts : [];
  const start = first?.kind === 'expression' ? first.end : 0;
  const base = renderTemplate(text.slice(0, start), scope);
  if (!base.ok) return base;
  if (start > 0 && !isBase(base.value))
    return refuse(text, `it begins with ${quote(base.value)}; expected http:// or https://, a host and perhaps a path`);
  const rest = renderUrl(text.slice(start), scope);
  if (!rest.ok) return rest;
  const address = base.value.replace(/\/+$/, '') + rest.value;
  const [path = ''] = address.split(/[?#]/);
  // `..` cannot be encoded: whoever reads the address takes `%2e%2e` for it, too.
  if (path.split('/').some((segment) => /^(\.|%2e){1,2}$/i.test(segment)))
    return refuse(text, `a value makes it ${quote(path)}, and "." and ".." are no names in a path`);
  return URL.canParse(address) ? { ok: true, value: address } : refuse(text, `${quote(address)} is no address`);
}

function isBase(text: string): boolean {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return username + password + search + hash === '' && !/[?#\s\\]/.test(text);
}

function refuse(text: string, why: string): Evaluated<never> {
  return { ok: false, message: `The address \`${text}\` cannot be used: ${why}.` };
}
