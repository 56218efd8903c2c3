import { parseDuration } from './duration.ts';

/** What a line on stdout says beyond being text. `malformed`: it was meant for us, and is refused with the reason, however long. */
export type Message =
  | { readonly kind: 'metric'; readonly name: string; readonly value: number; readonly step: number | null }
  | { readonly kind: 'output'; readonly key: string; readonly value: unknown }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number; readonly label: string }
  | { readonly kind: 'retry-after'; readonly afterMs: number }
  | { readonly kind: 'malformed'; readonly reason: string };

const METRIC_NAME = /^[A-Za-z_][\w./-]{0,127}$/;
const OUTPUT_NAME = /^[A-Za-z_]\w{0,62}$/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/**
 * Reads `::metric name=auc value=0.91 step=3::` and its siblings; null for ordinary text and `::group::`.
 * `whole: false` means that only the beginning of a very long line is known.
 */
export function parseMessage(line: string, whole = true): Message | null {
  const tooLong = whole ? null : /^::(?:metric|output)(?=\s)/.exec(line);
  if (tooLong !== null)
    return malformed(`${tooLong[0]}:: the line is too long; write to $SLUICE_OUTPUT or $SLUICE_METRICS instead`);
  const match = /^::(metric|output|progress|retry-after)(?:\s+(.*?))?::\s*$/s.exec(line);
  if (match === null) return null;
  const rest = match[2] ?? '';
  switch (match[1]) {
    case 'metric':
      return metricMessage(rest);
    case 'output':
      return outputMessage(rest);
    case 'progress':
      return progressMessage(rest);
    default:
      return retryMessage(rest);
  }
}

/** Checks one metric however it was given (line, file, ctx); the reason names the value. */
export function checkMetric(name: unknown, value: unknown, step: unknown): Message {
  if (typeof name !== 'string' || !METRIC_NAME.test(name))
    return malformed(`metric name ${show(name)}: expected letters, digits and _ . / - (at most 128)`);
  if (typeof value !== 'number' || !Number.isFinite(value))
    return malformed(`metric ${name}: the value ${show(value)} is not a finite number`);
  if (step !== null && step !== undefined && !(typeof step === 'number' && Number.isSafeInteger(step)))
    return malformed(`metric ${name}: the step ${show(step)} is not a whole number`);
  return { kind: 'metric', name, value, step: (step as number | undefined) ?? null };
}

/** Checks a progress that `ctx` was given: what is no number there arrives here as nothing or null. */
export function checkProgress(done: unknown, total: unknown, label: string): Message {
  if (!isAmount(done) || !isAmount(total))
    return malformed(`progress ${show(done)} of ${show(total)}: expected two numbers from 0 on`);
  return { kind: 'progress', done, total, label };
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

/** Checks one output however it was given. */
export function checkOutput(key: unknown, value: unknown): Message {
  if (typeof key !== 'string' || !OUTPUT_NAME.test(key))
    return malformed(`output name ${show(key)}: expected a letter, then letters, digits and _ (at most 63)`);
  return { kind: 'output', key, value };
}

/** Outputs are JSON where they parse, text otherwise. Whole numbers beyond 2^53 stay text: they are ids, not amounts. */
export function outputValue(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value;
  } catch {
    return text; // not JSON
  }
}

export function malformed(reason: string): Message {
  return { kind: 'malformed', reason };
}

function metricMessage(rest: string): Message {
  const fields = new Map<string, string>();
  for (const word of rest.split(/\s+/).filter((part) => part !== '')) {
    const at = word.indexOf('=');
    if (at < 1) return malformed(`::metric:: ${show(word)}: expected name=… value=… [step=…]`);
    fields.set(word.slice(0, at), unquote(word.slice(at + 1)));
  }
  const step = fields.get('step');
  return checkMetric(fields.get('name'), number(fields.get('value')), step === undefined ? null : number(step));
}

function outputMessage(rest: string): Message {
  const at = rest.indexOf('=');
  if (at < 1) return malformed(`::output:: ${show(rest)}: expected name=value`);
  return checkOutput(rest.slice(0, at).trim(), outputValue(rest.slice(at + 1)));
}

function progressMessage(rest: string): Message {
  const match = /^(\d{1,15})\/(\d{1,15})(?:\s+(.*))?$/s.exec(rest);
  if (match === null)
    return malformed(`::progress:: ${show(rest)}: expected done/total and a label, e.g. 40/100 loading`);
  return { kind: 'progress', done: Number(match[1]), total: Number(match[2]), label: match[3] ?? '' };
}

function retryMessage(rest: string): Message {
  const afterMs = parseDuration(rest.trim());
  if (afterMs === null)
    return malformed(`::retry-after:: ${show(rest)}: expected a duration up to 7d, e.g. 60s or 1h30m`);
  return { kind: 'retry-after', afterMs };
}

function number(text: string | undefined): unknown {
  return text !== undefined && DECIMAL.test(text) ? Number(text) : text;
}

function unquote(text: string): string {
  return /^".*"$|^'.*'$/s.test(text) ? text.slice(1, -1) : text;
}

function show(value: unknown): string {
  try {
    return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  } catch {
    return String(value); // a BigInt, a loop
  }
}
