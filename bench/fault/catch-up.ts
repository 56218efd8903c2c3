import type { Expected } from './check-history.ts';
import type { History } from './history.ts';
import { starts } from './example-project.ts';

// Long series have thousands of days, which all must be over.
const FIRST = '2016-01-01';
const DAY_MS = 86_400_000;

/** For a task of any pipeline: notes its start and end where nothing can take the note back. */
export const noted = (what: 'start' | 'end'): string =>
  `echo "${what} $SLUICE_RUN_ID $SLUICE_TASK_ID $SLUICE_MAP_INDEX $SLUICE_FENCE" >> "$DATA_MARKS/effects"`;

/** Mixed shapes: a chain over two paths, a fan-out whose parts sometimes fail once, a pool of two. */
const pipeline = (last: string): string => `
name: days
schedule: { cron: "@daily", start: ${FIRST}, end: ${last}, catchup: true }
max_active_runs: 8
paths:
  raw: { at: raw, partition: ds }
  sum: { at: sum, partition: ds }
tasks:
  load:
    run: |
      ${noted('start')}
      sleep 0.$((RANDOM % 9))
      echo "$DS" > "$PATH_RAW/day.txt"
      ${noted('end')}
    writes: [raw]
  part:
    needs: [load]
    matrix: { n: [1, 2] }
    retries: { max: 4, delay: 100ms }
    run: |
      ${noted('start')}
      sleep 0.$((RANDOM % 4))
      if [ "$SLUICE_TRY" = 1 ] && [ $((RANDOM % 6)) = 0 ]; then exit 1; fi
      ${noted('end')}
  sum:
    needs: [part]
    pool: narrow
    run: |
      ${noted('start')}
      sleep 0.$((RANDOM % 4))
      cat "$PATH_RAW/day.txt" "$PATH_RAW/day.txt" > "$PATH_SUM/twice.txt"
      ${noted('end')}
    reads: [raw]
    writes: [sum]
`;

/** The workload of faults: so many days, and what must be there when they are caught up. */
export function catchUp(days: number): { readonly file: string; readonly expected: Expected } {
  const last = new Date(Date.parse(FIRST) + (days - 1) * DAY_MS).toISOString().slice(0, 10);
  return {
    file: pipeline(last),
    expected: {
      intervals: { days: starts({ from: FIRST, to: last, stepDays: 1 }) },
      paths: { days: ['raw', 'sum'] },
      needs: { days: { part: ['load'], sum: ['part'] } },
    },
  };
}

/** Under the fence of the attempt that counts each task ended exactly once; no other fence than an attempt's was ever used. */
export function checkEffects({ attempts }: Pick<History, 'attempts'>, lines: readonly string[]): string[] {
  const nameOf = (a: History['attempts'][number]) => `${a.runId} ${a.taskId} ${a.mapIndex} ${a.fence}`;
  const known = new Set(attempts.map(nameOf));
  const noting = new Set(lines.map(taskOf));
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return [
    ...attempts
      .filter((a) => a.state === 'success' && noting.has(`${a.runId} ${a.taskId}`))
      .flatMap((a) => ['start', 'end'].map((what) => `${what} ${nameOf(a)}`))
      .filter((line) => counts.get(line) !== 1)
      .map((line) => `effects: ${counts.get(line) ?? 0} times "${line}"`),
    ...[...counts]
      .filter(([line, count]) => count > 1 || !known.has(line.slice(line.indexOf(' ') + 1)))
      .map(([line, count]) => `effects: ${count} times "${line}"`),
  ];
}

/** Run and task of a note. */
function taskOf(line: string): string {
  return line.split(' ').slice(1, 3).join(' ');
}
