import type { EngineStore } from '#core';

/** Calls of the store that commit something about waits, triggers, calls or backfills, or move a run on. */
const COMMITS = ['audited', 'apply', 'answerWaits', 'parkRuns'];

/** Names each commit, with how many of its kind came before, to `reached` before and after it: `before audited 3`. */
export function withCommitPoints(store: EngineStore, reached: (point: string) => void): EngineStore {
  const counts = new Map<string, number>();
  return new Proxy(store, {
    get: (target, name, receiver) => {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof name !== 'string' || typeof method !== 'function' || !COMMITS.includes(name)) return method;
      return async (...given: unknown[]) => {
        const count = (counts.get(name) ?? 0) + 1;
        counts.set(name, count);
        reached(`before ${name} ${count}`);
        const done: unknown = await (method as (...args: unknown[]) => Promise<unknown>).apply(target, given);
        reached(`after ${name} ${count}`);
        return done;
      };
    },
  });
}
