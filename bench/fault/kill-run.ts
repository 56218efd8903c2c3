import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { RunningStandalone, TestProject } from '../../apps/standalone/standalone-fixture.ts';
import { until } from '../../apps/standalone/standalone-fixture.ts';
import { checkHistory, type Expected } from './check-history.ts';
import { checkStorage, type StorageFigures } from './check-storage.ts';
import { connectEmbedded } from './embedded-database.ts';
import { loadHistory, type History } from './history.ts';
import { planKills, type PlannedKill } from './kill-plan.ts';
import { ProcessWatch } from './watch-processes.ts';

export interface KillOptions {
  readonly project: TestProject;
  /** Storage root of the environment `dev`. */
  readonly storage: string;
  readonly expected: Expected;
  readonly kills: number;
  readonly seed: number;
  /** Told one line per kill. */
  readonly say: (line: string) => void;
  readonly env?: Readonly<Record<string, string>>;
  /** For the whole catch-up. */
  readonly timeoutMs: number;
  /** Called with the history at rest, before the stop. */
  readonly atRest?: (client: pg.Client, history: History) => Promise<void>;
}

export interface KillRecord extends PlannedKill {
  /** Runs that had ended when it was killed. */
  readonly ended: number;
  readonly atSeconds: number;
  /** From the kill to the end of the last child but Postgres; null: not waited for. */
  readonly childrenGoneMs: number | null;
  /** From the start to the address; null: killed again before. */
  readonly readyMs: number | null;
}

export interface KillReport {
  readonly kills: readonly KillRecord[];
  readonly seconds: number;
  readonly runs: number;
  readonly taskRuns: number;
  readonly attempts: Readonly<Record<string, number>>;
  /** Attempts of the task run that was tried most. */
  readonly mostTries: number;
  readonly toldStates: number;
  readonly storage: StorageFigures;
  readonly processLooks: number;
  /** Empty: every promise held. */
  readonly violations: readonly string[];
}

/** Catches up under kills of the main process, then checks history, storage and processes. Stops what it started. */
export async function runKills(options: KillOptions): Promise<KillReport> {
  const { project, expected, say } = options;
  const total = Object.values(expected.intervals).flat().length;
  const watch = new ProcessWatch(project.folder);
  const started = performance.now();
  const problems: string[] = [];
  const kills: KillRecord[] = [];
  let running = await project.start({ env: options.env });
  const client = await connectEmbedded(project.home);
  const overdue = (): number => options.timeoutMs - (performance.now() - started);
  try {
    watch.afterStart(running.pid);
    for (const kill of planKills({ kills: options.kills, runs: total, seed: options.seed })) {
      await endedRuns(client, kill.afterRuns, overdue());
      const next = await killOnce(options, running, kill, problems);
      running = next.running;
      watch.afterStart(running.pid);
      const record = { ...kill, ended: next.ended, atSeconds: seconds(started), ...next.measured };
      kills.push(record);
      say(
        `  kill ${String(kills.length).padStart(2)}: ${String(record.ended).padStart(3)} of ${total} runs ended, while ${kill.during}, again ${kill.restart}` +
          `${record.childrenGoneMs === null ? '' : `; children gone after ${record.childrenGoneMs} ms`}; ready after ${record.readyMs} ms`,
      );
    }
    await endedRuns(client, total, overdue());
    const whole = seconds(started);
    await atRest(client);
    const history = await loadHistory(client);
    const storage = await checkStorage(options.storage, history.pointers);
    problems.push(...checkHistory(history, expected).map(({ rule, text }) => `${rule}: ${text}`));
    problems.push(...storage.problems.map((text) => `storage: ${text}`));
    await options.atRest?.(client, history);
    await client.end();
    const { code } = await running.stop();
    if (code !== 0) problems.push(`it stopped with exit code ${code}`);
    for (const { kind, pid } of project.processes()) problems.push(`${kind} ${pid} is left after the stop`);
    return {
      kills,
      seconds: whole,
      ...figuresOf(history),
      storage: storage.figures,
      processLooks: watch.looks,
      violations: [...problems, ...watch.problems.map((text) => `processes: ${text}`)],
    };
  } finally {
    watch.close();
    await client.end().catch(() => undefined);
  }
}

interface Again {
  readonly running: RunningStandalone;
  readonly ended: number;
  readonly measured: { readonly childrenGoneMs: number | null; readonly readyMs: number };
}

/** Kills the main process at the planned instant and starts it again. */
async function killOnce(
  { project, env }: KillOptions,
  running: RunningStandalone,
  kill: PlannedKill,
  problems: string[],
): Promise<Again> {
  const client = await connectEmbedded(project.home);
  let childrenGoneMs: number | null = null;
  try {
    if (kill.during === 'running') await delay(kill.delayMs);
    const ended = await endedRuns(client, 0, 5000);
    await running.kill();
    if (kill.during === 'starting') {
      const second = project.spawn({ env });
      await delay(kill.delayMs);
      await second.kill();
    }
    if (kill.restart === 'when quiet') {
      const killed = performance.now();
      const left = () => project.processes().filter(({ kind }) => kind !== 'postgres');
      await until('the end of the children', () => left().length === 0, 5000).catch(() =>
        problems.push(`processes: 5 s after a kill ${left().length} children live on`),
      );
      childrenGoneMs = Math.round(performance.now() - killed);
    }
    const started = performance.now();
    const again = await project.start({ env });
    return { running: again, ended, measured: { childrenGoneMs, readyMs: Math.round(performance.now() - started) } };
  } finally {
    await client.end();
  }
}

/** Resolves once so many runs have ended, with how many have. */
async function endedRuns(client: pg.Client, atLeast: number, timeoutMs: number): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { rows } = await client.query<{ ended: number }>(
      `select count(*)::int as ended from run where finished_at is not null`,
    );
    const ended = rows[0]?.ended ?? 0;
    if (ended >= atLeast) return ended;
    if (performance.now() > deadline) throw new Error(`only ${ended} of ${atLeast} runs ended in time`);
    await delay(50);
  }
}

/** Nothing is on its way any more: every published path is shown. */
async function atRest(client: pg.Client): Promise<void> {
  await until(
    'every published path to be shown',
    async () => (await client.query('select 1 from path_pointer where not projected limit 1')).rowCount === 0,
    30_000,
  );
}

function figuresOf(history: History) {
  const attempts: Record<string, number> = {};
  for (const { state } of history.attempts) attempts[state] = (attempts[state] ?? 0) + 1;
  return {
    runs: history.runs.length,
    taskRuns: history.taskRuns.length,
    attempts,
    mostTries: Math.max(0, ...history.attempts.map(({ number }) => number)),
    toldStates: history.told.length,
  };
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 100) / 10;
}
