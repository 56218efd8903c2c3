import type { EngineStore, PublishedPath } from '#core';

type DataReads = Pick<
  EngineStore,
  'versionsOfRuns' | 'versionsBetween' | 'newestVersions' | 'baseline' | 'getRun' | 'pastOf'
>;

interface Kept extends PublishedPath {
  readonly pipeline: string;
  readonly path: string;
}

/** What is published in a simulation, as the engine's own functions ask the database for it. */
export class SimulatedData implements DataReads {
  #kept: readonly Kept[] = [];

  constructor(private readonly baselines: Readonly<Record<string, Readonly<Record<string, number>>>>) {}

  /** A location shows what was published there last. */
  publish(version: Kept): void {
    this.#kept = [...this.#kept.filter(({ location }) => location !== version.location), version];
  }

  /** To be given to functions that read data and nothing else. */
  get store(): EngineStore {
    return this as DataReads as EngineStore;
  }

  async versionsOfRuns(_environment: string, pipeline: string, path: string, runIds: readonly string[]) {
    return this.#of(pipeline, path).filter(({ runId }) => runIds.includes(runId));
  }

  async versionsBetween(_environment: string, pipeline: string, path: string, from: string, to: string) {
    return this.#of(pipeline, path)
      .filter(
        ({ intervalStart, intervalEnd }) =>
          intervalStart !== null && intervalStart >= from && (intervalEnd ?? '') <= to,
      )
      .sort(byInterval);
  }

  async newestVersions(_environment: string, pipeline: string, path: string, before: string | null) {
    const found = this.#of(pipeline, path)
      .filter(({ intervalEnd }) => before === null || intervalEnd === null || intervalEnd <= before)
      .sort(byInterval);
    const newest = found.at(-1)?.intervalEnd ?? null;
    return found.filter(({ intervalEnd }) => intervalEnd === newest);
  }

  async baseline(_environment: string, _pipeline: string, taskId: string) {
    const all = Object.assign({}, ...Object.values(this.baselines)) as Record<string, number>;
    return { ...all, ...this.baselines[taskId] };
  }

  async getRun() {
    return null;
  }

  /** A test is about one run: it is the first. */
  async pastOf() {
    return [null];
  }

  #of(pipeline: string, path: string): Kept[] {
    return this.#kept.filter((one) => one.pipeline === pipeline && one.path === path);
  }
}

function byInterval(a: PublishedPath, b: PublishedPath): number {
  return (a.intervalEnd ?? '') < (b.intervalEnd ?? '') ? -1 : (a.intervalEnd ?? '') > (b.intervalEnd ?? '') ? 1 : 0;
}
