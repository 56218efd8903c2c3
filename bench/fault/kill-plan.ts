import { seededRandom } from './random.ts';

/** One kill -9 and how the next start follows it. */
export interface PlannedKill {
  /** Not before so many runs have ended. */
  readonly afterRuns: number;
  /** `running`: so long after that; `starting`: so long after the process was started again. */
  readonly during: 'running' | 'starting';
  readonly delayMs: number;
  /** Start again at once, while the dead process's children may still be there, or once they have ended. */
  readonly restart: 'at once' | 'when quiet';
}

const LONGEST_DELAY_MS = 1500;
const LONGEST_START_MS = 3000;

/** Spreads kills over a catch-up of `runs` runs; the same seed gives the same plan. */
export function planKills({ kills, runs, seed }: { kills: number; runs: number; seed: number }): PlannedKill[] {
  const random = seededRandom(seed);
  const places = Array.from({ length: kills }, () => Math.floor(random() * runs * 0.95)).sort((a, b) => a - b);
  return places.map((afterRuns, index) => {
    // The first one must find it running: before it there is nothing to start again.
    const during = index > 0 && random() < 0.25 ? 'starting' : 'running';
    const delayMs = Math.floor(random() * (during === 'starting' ? LONGEST_START_MS : LONGEST_DELAY_MS));
    return { afterRuns, during, delayMs, restart: random() < 0.5 ? 'at once' : 'when quiet' };
  });
}
