import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type Effect, parseEffects } from './effects.ts';
import { killService, nowMs, signal, startedLike } from './processes.ts';
import type { Killed } from './toll.ts';
import type { Kill } from './workloads.ts';

const LOOK_MS = 5;

/** A scheduler that is no part of the adapter's own process. */
interface Scheduler {
  readonly pid: number;
  /** Runs all the time, so that a supervisor starts it again; otherwise a command of the adapter, which sees it fail. */
  readonly isService: boolean;
}

export interface Victims {
  /** Which leaves lines here, and `begun` ones in the file beside it. */
  readonly effectsFile: string;
  /** Where an adapter says which process the scheduler is. */
  readonly schedulerFile: string;
  readonly log: number;
  /** Now: it is another one after it was killed. */
  adapterPid(): number;
}

/** Lets the kills befall the engine, one after the other as its tasks end, until `over`. */
export async function killWhile(
  victims: Victims,
  kills: readonly Kill[],
  tasks: number,
  over: AbortSignal,
): Promise<Killed[]> {
  const killed: Killed[] = [];
  for (const { whom, after } of kills) {
    for (;;) {
      if (over.aborted) return killed;
      const [ended, begun] = await linesOf(victims.effectsFile);
      const body = bodiesUnderWay(begun, ended).at(-1);
      if (new Set(ended.map(({ task }) => task)).size >= after * tasks && body !== undefined) {
        const atMs = whom === 'worker' ? await killWorker(victims, body.pid) : await killScheduler(victims);
        if (atMs !== null) {
          killed.push({ whom, atMs });
          break;
        }
      }
      await pause(LOOK_MS);
    }
  }
  return killed;
}

async function killWorker(victims: Victims, pid: number): Promise<number | null> {
  if (pid === victims.adapterPid()) return killAdapter(victims);
  return signal(pid) ? nowMs() : null;
}

/** With all that it started. */
async function killScheduler(victims: Victims): Promise<number> {
  const scheduler = await schedulerOf(victims);
  if (scheduler === null) return killAdapter(victims);
  const { pid, isService } = scheduler;
  const again = isService ? await startedLike(pid, victims.log) : null;
  const atMs = await killService(pid, []);
  if (again !== null)
    await writeFile(victims.schedulerFile, JSON.stringify({ pid: again(), isService } satisfies Scheduler));
  return atMs;
}

/** With all that it started, as systemd does it before it starts a service again. The session sees it end, and starts it. */
async function killAdapter(victims: Victims): Promise<number> {
  const scheduler = await schedulerOf(victims);
  return killService(victims.adapterPid(), scheduler === null ? [] : [scheduler.pid]);
}

export async function schedulerOf({ schedulerFile }: Pick<Victims, 'schedulerFile'>): Promise<Scheduler | null> {
  const text = await readFile(schedulerFile, 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as Scheduler);
}

/** Of files that grow: what stands behind the last end of a line is for later. Only order counts here, so clocks stay as they are. */
async function linesOf(effectsFile: string): Promise<[Effect[], Effect[]]> {
  const of = async (file: string): Promise<Effect[]> => {
    const text = await readFile(file, 'utf8').catch(() => '');
    return parseEffects(text.slice(0, text.lastIndexOf('\n') + 1), 0);
  };
  // What ended meanwhile has begun.
  const ended = await of(effectsFile);
  return [ended, await of(`${effectsFile}.begun`)];
}

/** In the order in which they began. */
function bodiesUnderWay(begun: readonly Effect[], ended: readonly Effect[]): Effect[] {
  const done = new Set(ended.map(({ task, startMs }) => `${task} ${startMs}`));
  return begun.filter(({ task, startMs }) => !done.has(`${task} ${startMs}`));
}
