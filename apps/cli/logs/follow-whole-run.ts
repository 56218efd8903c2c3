import type { TaskRun } from '#contracts';
import type { SluiceClient } from '#contracts/client';
import type { Cli } from '../cli.ts';
import { taskName } from '../output/task-name.ts';
import { watchRun } from '../watch/watch-run.ts';
import type { LogPrinter } from './log-printer.ts';

/** Logs followed at the same time; further task runs are printed as places become free. */
const AT_ONCE = 16;

/** Prints the lines of every attempt of a run as they come, each behind its task's name, until the run has ended. */
export async function followWholeRun(
  cli: Cli,
  client: SluiceClient,
  runId: string,
  printer: LogPrinter,
  signal: AbortSignal,
): Promise<void> {
  const seen = new Set<string>();
  const waiting: (() => Promise<void>)[] = [];
  const active = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const startNext = (): void => {
    while (active.size < AT_ONCE) {
      const next = waiting.shift();
      if (next === undefined) return;
      const one = next()
        .catch((error: unknown) => void failures.push(error))
        .finally(() => {
          active.delete(one);
          startNext();
        });
      active.add(one);
    }
  };
  const onLost = (): void => cli.say('The server does not answer; waiting for it.');
  for await (const run of watchRun(client, runId, { signal, onLost })) {
    for (const row of run.taskRuns) {
      const key = `${row.taskId} ${row.mapIndex} ${row.tries}`;
      if (row.startedAt === null || row.tries === 0 || row.originRun !== null || seen.has(key)) continue;
      seen.add(key);
      waiting.push(() => followOne(client, runId, row, printer, signal));
    }
    startNext();
    if (failures.length > 0) throw failures[0];
  }
  while (active.size > 0) await Promise.race(active);
  if (failures.length > 0) throw failures[0];
}

async function followOne(
  client: SluiceClient,
  runId: string,
  row: TaskRun,
  printer: LogPrinter,
  signal: AbortSignal,
): Promise<void> {
  const at = { runId, task: row.taskId, map: row.mapIndex, try: row.tries };
  const name = taskName(row);
  for await (const lines of client.followLog(at, 1, { signal })) printer.print(lines, at, name);
}
