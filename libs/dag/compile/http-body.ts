import type { TaskBody } from '#core';
import type { Names } from '../expression/check-expression.ts';
import { splitTemplate } from '../expression/template.ts';
import type { HttpShape } from '../shape/http-shape.ts';
import type { TaskShape } from '../shape/task-shape.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import type { Compiling } from './compiling.ts';
import { msOf } from './retries.ts';
import { savePlace } from './task-files.ts';

type HttpBody = Extract<TaskBody, { kind: 'http' }>;
type Details = Exclude<HttpShape, string>;

const USUAL_TIMEOUT_MS = 30_000;

/** One request; every value from outside the file is encoded for its place, and none chooses whom is asked. */
export function httpBody(shape: TaskShape, place: Path, names: Names, compiling: Compiling): HttpBody {
  const written = shape.http ?? '';
  const details: Details = typeof written === 'string' ? { url: written } : written;
  checkUrl(details.url, typeof written === 'string' ? place : [...place, 'url'], names, compiling);
  const { query = {}, json, body, expect = {}, outputs = {}, timeout } = details;
  compiling.checkTree(query, [...place, 'query'], names);
  if (json !== undefined) compiling.checkTree(json, [...place, 'json'], names);
  if (body !== undefined) compiling.checkTemplate(body, [...place, 'body'], names);
  checkContent(details, place, compiling);
  const seeing = { ...names, waiting: 'response' } as const;
  const expression = (text: string, at: Path, result: 'condition' | 'text'): string =>
    compiling.expression(text, at, seeing, result);
  return {
    kind: 'http',
    method: details.method ?? (json === undefined && body === undefined ? 'GET' : 'POST'),
    url: details.url,
    query,
    ...compileHeaders(details, shape.secrets ?? [], place, names, compiling),
    content: json !== undefined ? { json } : body !== undefined ? { text: body } : null,
    status: expect.status === undefined ? [] : [expect.status].flat(),
    expr: expect.expr === undefined ? null : expression(expect.expr, [...place, 'expect', 'expr'], 'condition'),
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, text]) => [name, expression(text, [...place, 'outputs', name], 'text')]),
    ),
    save:
      details.save === undefined
        ? null
        : savePlace(details.save, shape.writes ?? [], 'raw/orders.json', [...place, 'save'], compiling),
    requestTimeoutMs: timeout === undefined ? USUAL_TIMEOUT_MS : msOf(timeout),
  };
}

/** Scheme and host stand in this file or, as the whole beginning, in the environment's `vars`. */
export function checkUrl(url: string, place: Path, names: Names, compiling: Compiling): void {
  compiling.checkTemplate(url, place, names);
  const split = splitTemplate(url);
  if (!split.ok) return;
  const [first] = split.parts;
  if (first?.kind === 'expression') {
    if (!/^($|[/?])/.test(url.slice(first.end)))
      compiling.within(place, {
        offset: first.end,
        message: `The address goes on with ${quote(url.slice(first.end))} behind its host; expected "/" or "?".`,
        hint: 'Write ${{ env.vars.<name> }}/….',
      });
    if (!/^env\.vars\.\w+$/.test(first.expression))
      compiling.within(place, {
        offset: first.offset,
        message: `The address begins with ${quote(first.expression)}; only env.vars.<name> may say whom is asked.`,
        hint: 'Write the scheme and the host out, or put them under `vars:` of environments/<name>.yaml.',
      });
    return;
  }
  const origin = /^https?:\/\/[^/?#]*/.exec(url)?.[0] ?? '';
  if (origin === '' || origin.includes('${{') || !URL.canParse(origin))
    compiling.at(
      place,
      `The address ${quote(url)} has no fixed beginning; expected http:// or https:// and a host, or \${{ env.vars.<name> }}.`,
      'Write it out, such as https://example.org/orders.',
    );
  else if (origin.includes('@'))
    compiling.at(place, 'The address holds a user or a password.', 'Name a secret in `bearer:` or `headers:` instead.');
}

function checkContent({ method, json, body }: Details, place: Path, compiling: Compiling): void {
  const key = json === undefined ? 'body' : 'json';
  if (json !== undefined && body !== undefined)
    compiling.atKey([...place, 'body'], 'http has both json and body; expected one of them.', 'Remove one.');
  else if ((json !== undefined || body !== undefined) && (method === 'GET' || method === 'HEAD'))
    compiling.atKey([...place, key], `${key} has no meaning with ${method}.`, 'Use `query:`, or method POST.');
}

/** Headers that the client itself sets; another value would let one request be read as two. */
const OURS = /^(host|content-length|transfer-encoding|connection|upgrade|expect|te|trailer)$/i;
const SECRET = /^(authorization|cookie|proxy-authorization)$/i;

function compileHeaders(
  { headers = {}, bearer }: Details,
  secrets: readonly string[],
  place: Path,
  names: Names,
  compiling: Compiling,
): Pick<HttpBody, 'headers' | 'secretHeaders'> {
  const plain: Record<string, string> = {};
  const secret: Record<string, { secret: string; prefix: string }> = {};
  const known = (name: string, at: Path): void => {
    if (secrets.includes(name)) return;
    const hint = didYouMean(name, secrets, `Add it to the task: \`secrets: [${name}]\`.`);
    compiling.at(at, `The secret ${quote(name)} is not among the secrets of ${names.place}.`, hint);
  };
  for (const [header, value] of Object.entries(headers)) {
    const at = [...place, 'headers', header];
    if (OURS.test(header))
      compiling.atKey(at, `The header ${quote(header)} is set by the request itself.`, 'Remove it.');
    if (typeof value !== 'string') {
      known(value.secret, [...at, 'secret']);
      secret[header.toLowerCase()] = { secret: value.secret, prefix: value.prefix ?? '' };
      continue;
    }
    if (SECRET.test(header))
      compiling.atKey(
        at,
        `The header ${quote(header)} would hold a secret in the file.`,
        `Name the secret instead: bearer: API_TOKEN, or ${header}: { secret: API_TOKEN }.`,
      );
    compiling.checkTemplate(value, at, names);
    plain[header.toLowerCase()] = value;
  }
  if (bearer !== undefined) {
    known(bearer, [...place, 'bearer']);
    secret.authorization = { secret: bearer, prefix: 'Bearer ' };
  }
  return { headers: plain, secretHeaders: secret };
}
