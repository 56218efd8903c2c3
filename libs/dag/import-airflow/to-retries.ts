import type { Args } from './args.ts';
import type { Report } from './report.ts';
import { durationOf } from './to-schedule.ts';

/** Airflow waits this long between tries unless told, and never longer than the second. */
const USUAL_DELAY_SECONDS = 300;
const LONGEST_DELAY_SECONDS = 86_400;
const MOST_RETRIES = 1_000;

/** `retries:` that waits as Airflow does; undefined: none. */
export function toRetries(args: Args, report: Report): Record<string, unknown> | undefined {
  const written = args.number('retries') ?? 0;
  const seconds = args.seconds('retry_delay') ?? USUAL_DELAY_SECONDS;
  const longest = args.seconds('max_retry_delay');
  // Airflow 2 says whether, Airflow 3 may say by which factor.
  const exponential = args.take('retry_exponential_backoff');
  const factor = exponential === true ? 2 : typeof exponential === 'number' ? exponential : 0;
  const max = Math.min(Math.max(Math.trunc(written), 0), MOST_RETRIES);
  if (max !== written)
    report.changed(
      args.placeOf('retries'),
      `retries is ${written}; ${max} are kept.`,
      `Write at most ${MOST_RETRIES}.`,
    );
  if (max === 0) return undefined;
  const delay = durationOf(seconds) ?? '0s';
  if (factor < 1) return { max, delay, backoff: 1, max_delay: delay, jitter: 0 };
  const most = Math.min(longest ?? LONGEST_DELAY_SECONDS, LONGEST_DELAY_SECONDS);
  // The wait is between once and twice the delay, chosen by a hash of run and try.
  return { max, delay, backoff: Math.min(factor, 100), max_delay: durationOf(most) ?? delay, jitter: 1 };
}
