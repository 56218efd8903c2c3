import type { TaskBody, WaitCondition } from '#core';
import type { Names } from '../expression/check-expression.ts';
import { soleExpression } from '../expression/template.ts';
import type { TaskShape } from '../shape/task-shape.ts';
import { WAIT_KEYS, type ApproveShape, type CallShape, type WaitShape } from '../shape/wait-shape.ts';
import { durationMs } from '../source/duration.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import type { Compiling } from './compiling.ts';
import { checkUrl } from './http-body.ts';
import { locationFault } from './locations.ts';
import { msOf } from './retries.ts';

const EVERY_MS = 60_000;
const LEAST_EVERY_MS = 1_000;
/** A wait that nobody limited: what has not come after a week is not on its way. */
const USUAL_TIMEOUT_MS = 7 * 86_400_000;

export function waitBody(shape: WaitShape, place: Path, names: Names, compiling: Compiling): TaskBody | null {
  const [key, second] = WAIT_KEYS.filter((candidate) => shape[candidate] !== undefined);
  if (key === undefined || second !== undefined) {
    const found = key === undefined ? 'names nothing to wait for' : `has both ${key} and ${second}`;
    const message = `The wait of ${names.place} ${found}; expected exactly one of ${WAIT_KEYS.join(', ')}.`;
    if (second === undefined) compiling.atKey(place, message, 'Write for example `wait: { path: landing/_SUCCESS }`.');
    else compiling.atKey([...place, second], message, 'Wait for two things in two tasks.');
    return null;
  }
  const everyMs = shape.every === undefined ? EVERY_MS : msOf(shape.every);
  if (everyMs < LEAST_EVERY_MS)
    compiling.at([...place, 'every'], `every is ${quote(shape.every)}; expected 1s or more.`, 'Write 1s.');
  if (key === 'time' && shape.every !== undefined)
    compiling.atKey([...place, 'every'], 'every has no meaning for a time, which comes by itself.', 'Remove it.');
  const condition = conditionOf(shape, key, place, names, compiling);
  if (condition === null) return null;
  // A time comes, however far away it is.
  const usual = key === 'time' ? null : USUAL_TIMEOUT_MS;
  return { kind: 'wait', condition, everyMs, ...limitsOf(shape, usual) };
}

export function approveBody(shape: ApproveShape, place: Path, names: Names, compiling: Compiling): TaskBody {
  const asked = typeof shape === 'string' ? { message: shape } : shape;
  compiling.checkTemplate(asked.message, typeof shape === 'string' ? place : [...place, 'message'], names);
  const groups = 'groups' in asked ? [...new Set(asked.groups)] : [];
  return { kind: 'approve', message: asked.message, groups, ...limitsOf(asked, null) };
}

/** The called pipeline's parameters are looked at when all files are known. */
export function callBody(
  shape: CallShape,
  { timeout }: Pick<TaskShape, 'timeout'>,
  place: Path,
  names: Names,
  compiling: Compiling,
): TaskBody {
  const { pipeline, params = {} } = typeof shape === 'string' ? { pipeline: shape } : shape;
  for (const [param, value] of Object.entries(params)) {
    const at = [...place, 'params', param];
    if (typeof value === 'string') compiling.checkTemplate(value, at, names);
    else if (JSON.stringify(value).includes('${{'))
      compiling.at(
        at,
        `The parameter ${quote(param)} holds an expression inside a list or a map.`,
        'Give the list or the map as one expression.',
      );
  }
  return { kind: 'call', pipeline, params, timeoutMs: timeout === undefined ? null : msOf(timeout), onTimeout: 'fail' };
}

/** Keys that only tasks have of which attempts are made. */
const NEEDS_ATTEMPT = [
  ...(['reads', 'writes', 'io', 'retries', 'timeout', 'pool', 'slots', 'priority', 'resources', 'replicas'] as const),
  ...(['env', 'network', 'verify', 'secrets', 'metrics', 'checks', 'gate'] as const),
];

const WAITING_KINDS = ['wait', 'approve', 'call'] as const;

const INSTEAD: Readonly<Record<string, string>> = {
  timeout: 'Write it inside: { …, timeout: 6h }.',
  retries: 'Write how often it is looked at: wait: { …, every: 5m }.',
  reads: 'Let the task that reads it wait by itself: `reads` with `missing: wait`.',
  secrets: 'Name the secret in `bearer:` of `http`.',
};

const INSTEAD_OF_CALL: Readonly<Record<string, string>> = {
  retries: 'Give `retries` to the tasks of the called pipeline.',
};

/** True: no attempt is made of such a task. */
export function executesNothing(shape: TaskShape): boolean {
  return WAITING_KINDS.some((kind) => shape[kind] !== undefined);
}

/** Reports keys of a `wait`, `approve` or `call` task that have no meaning without an attempt. */
export function checkWaitKeys(shape: TaskShape, path: Path, compiling: Compiling): void {
  const kind = WAITING_KINDS.find((candidate) => shape[candidate] !== undefined) ?? 'wait';
  const instead = kind === 'call' ? INSTEAD_OF_CALL : INSTEAD;
  for (const key of NEEDS_ATTEMPT)
    if (shape[key] !== undefined && !(kind === 'call' && key === 'timeout'))
      compiling.atKey(
        [...path, key],
        `${key} has no meaning with ${kind}, which executes nothing.`,
        instead[key] ?? 'Move it to the task that comes next.',
      );
}

export function limitsOf(shape: Pick<WaitShape, 'timeout' | 'on_timeout'>, usual: number | null) {
  const timeoutMs = shape.timeout === undefined ? usual : msOf(shape.timeout);
  return { timeoutMs, onTimeout: shape.on_timeout ?? ('fail' as const) };
}

function conditionOf(
  shape: WaitShape,
  key: (typeof WAIT_KEYS)[number],
  wait: Path,
  names: Names,
  compiling: Compiling,
): WaitCondition | null {
  const place = [...wait, key];
  switch (key) {
    case 'path': {
      const at = shape.path ?? '';
      compiling.checkTemplate(at, place, names);
      const fault = locationFault(at);
      if (fault !== null) compiling.at(place, `path is ${quote(at)}: ${fault.message}.`, fault.hint);
      return { kind: 'path', at };
    }
    case 'dataset': {
      const [pipeline = '', path = ''] = (shape.dataset ?? '').split('.');
      return { kind: 'dataset', pipeline, path };
    }
    case 'run':
      return { kind: 'run', pipeline: shape.run ?? '' };
    case 'http':
      return httpCondition(shape.http ?? '', place, names, compiling);
    case 'time':
      return timeCondition(shape.time ?? '', place, names, compiling);
    case 'expr':
      return {
        kind: 'expr',
        expr: compiling.expression(shape.expr ?? '', place, { ...names, waiting: 'now' }, 'condition'),
      };
  }
}

function httpCondition(
  shape: NonNullable<WaitShape['http']>,
  place: Path,
  names: Names,
  compiling: Compiling,
): WaitCondition {
  const asked = typeof shape === 'string' ? { url: shape } : shape;
  const at = typeof shape === 'string' ? place : [...place, 'url'];
  checkUrl(asked.url, at, names, compiling);
  const {
    status = 200,
    expr,
    headers = {},
    bearer = null,
  } = 'url' in asked ? (asked as Exclude<typeof shape, string>) : {};
  for (const [header, value] of Object.entries(headers)) {
    compiling.checkTemplate(value, [...place, 'headers', header], names);
    if (/^(authorization|cookie|proxy-authorization)$/i.test(header))
      compiling.atKey(
        [...place, 'headers', header],
        `The header ${quote(header)} would hold a secret in the file.`,
        'Name the secret instead: bearer: API_TOKEN.',
      );
  }
  return {
    kind: 'http',
    url: asked.url,
    status: [status].flat(),
    expr:
      expr === undefined
        ? null
        : compiling.expression(expr, [...place, 'expr'], { ...names, waiting: 'response' }, 'condition'),
    headers,
    bearer,
  };
}

const SUM = /^(data_interval_start|data_interval_end|ts)\s*(?:([+-])\s*(\S+))?$/;

/** `2026-01-31T06:00:00Z`, `data_interval_end + 2h`, or CEL in `${{ }}`. */
function timeCondition(written: string, place: Path, names: Names, compiling: Compiling): WaitCondition | null {
  const expression = soleExpression(written);
  if (expression !== null) return { kind: 'time', expr: compiling.expression(written, place, names, 'text') };
  const [sum, name = '', sign, span] = SUM.exec(written.trim()) ?? [];
  const ms = span === undefined ? 0 : durationMs(span);
  if (sum !== undefined && ms !== null) {
    const moved = ms === 0 ? '' : ` ${sign ?? '+'} duration("${ms / 1000}s")`;
    return { kind: 'time', expr: `timestamp(${name})${moved}` };
  }
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(written) && !Number.isNaN(Date.parse(written)))
    return { kind: 'time', expr: `timestamp("${new Date(written).toISOString()}")` };
  compiling.at(
    place,
    `time is ${quote(written)}; expected an instant with its zone, data_interval_end + a duration, or an expression.`,
    'For example: data_interval_end + 2h, or 2026-01-31T06:00:00Z.',
  );
  return null;
}
