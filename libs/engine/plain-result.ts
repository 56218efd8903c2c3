import type { AttemptResult, MetricPoint, Outcome } from '#core';

const MAX_INTEGER = 2 ** 31 - 1;

/**
 * A result as the database can hold it. Tasks say what they like; one NUL or half a surrogate pair in an output would
 * make Postgres refuse the whole batch, other runs' results included.
 */
export function plainResult(result: AttemptResult): AttemptResult {
  return {
    ...result,
    outcome: plainOutcome(result.outcome),
    outputs: plainValue(result.outputs) as AttemptResult['outputs'],
    summary: result.summary === null ? null : plainText(result.summary),
    ...(result.checks === undefined ? {} : { checks: plainValue(result.checks) as AttemptResult['checks'] & object }),
    metrics: result.metrics.filter((point) => Number.isFinite(point.value)).map(plainPoint),
  };
}

function plainOutcome(outcome: Outcome): Outcome {
  return 'message' in outcome ? { ...outcome, message: plainText(outcome.message) } : outcome;
}

function plainPoint(point: MetricPoint): MetricPoint {
  const { step } = point;
  const fits = step === null || (Number.isInteger(step) && Math.abs(step) <= MAX_INTEGER);
  return { ...point, name: plainText(point.name), step: fits ? step : null };
}

function plainValue(value: unknown): unknown {
  if (typeof value === 'string') return plainText(value);
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [plainText(key), plainValue(item)]));
}

const UNSTORABLE = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

function plainText(text: string): string {
  return text.replace(UNSTORABLE, '\uFFFD');
}
