import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { spawnFloorMs } from '../floors.ts';
import { figuresOf } from './figures.ts';
import type { Session } from './session.ts';
import type { Round, Workload } from './workloads.ts';

/** One repeat of a workload by an engine. */
export interface Repeat {
  readonly figures: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Of all its processes, its database among them; null where some were killed, whose share nobody knows. */
  readonly cpuSeconds: number | null;
  readonly peakMiB: number;
  /** A bare `bash -c true` before and after: what the machine was worth meanwhile. */
  readonly floorMs: readonly [number, number];
  readonly load: number;
  /** Tasks that did not run exactly once, or too early. */
  readonly problems: readonly string[];
}

const MOST_PROBLEMS = 5;
const SAMPLE_MS = 1000;

/** False when the machine changed by more than a tenth under it. */
export function isSteady({ floorMs: [before, after] }: Pick<Repeat, 'floorMs'>): boolean {
  return Math.abs(after - before) <= 0.1 * before;
}

export async function warmUp(session: Session, workload: Workload, boundMs: number): Promise<void> {
  for (const round of workload.warmUp) await session.round(round, boundMs);
}

/** Throws when the engine fails, or does not end a repeat within `boundMs`. */
export async function measureRepeat(session: Session, workload: Workload, boundMs: number): Promise<Repeat> {
  const before = await floorMs();
  const load = loadavg()[0] ?? 0;
  const cpuBefore = await session.cpuSeconds();
  let peakMiB = await session.memoryMiB();
  const sampling = setInterval(() => {
    void session.memoryMiB().then((mib) => (peakMiB = Math.max(peakMiB, mib)));
  }, SAMPLE_MS);
  const began = performance.now();
  try {
    const rounds = [];
    for (const [i, round] of workload.rounds.entries()) {
      await pause(Math.max(0, began + i * (workload.everyMs ?? 0) - performance.now()));
      rounds.push(await session.round(round, boundMs - (performance.now() - began)));
    }
    const seconds = (performance.now() - began) / 1000;
    const cpuSeconds = rounds.some(({ kills }) => kills.length > 0) ? null : (await session.cpuSeconds()) - cpuBefore;
    const problems = rounds.flatMap((round) => round.problems);
    return {
      // What ran wrongly is not worth a figure.
      figures: problems.length === 0 ? figuresOf(workload, rounds) : {},
      seconds,
      cpuSeconds,
      peakMiB,
      floorMs: [before, await floorMs()],
      load: Number(load.toFixed(2)),
      problems: problems.slice(0, MOST_PROBLEMS),
    };
  } finally {
    clearInterval(sampling);
  }
}

/** The very first run of a session, from asking to its end. */
export async function firstRunMs(session: Session, round: Round, boundMs: number): Promise<number> {
  const { askedMs, endedMs } = await session.round(round, boundMs);
  return endedMs - askedMs;
}

function floorMs(): Promise<number> {
  return spawnFloorMs(['bash', '-c', 'true'], 60);
}
