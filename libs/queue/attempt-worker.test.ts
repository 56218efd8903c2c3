import { beforeEach, expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { SluiceError, type Assignment, type ClaimedAttempt, type Executor, type HeldAttempt } from '#core';
import { FakeClock } from '../testing/fake-clock.ts';
import { ScriptedExecutor } from '../testing/scripted-executor.ts';
import { AttemptWorker } from './attempt-worker.ts';
import type { WorkApi } from './work-api.ts';

const BEAT_MS = 1000;
const assignment = {
  ...{ attemptId: '7', runId: '3', environment: 'dev', pipeline: 'p', taskId: 't', mapIndex: 0, mapKey: '', fence: 1 },
} as Partial<Assignment> as Assignment;

let clock: FakeClock;
let executor: ScriptedExecutor;
/** An API that answers reports or not, and what it holds to be the worker's. */
let api: WorkApi & { isThere: boolean; waiting: ClaimedAttempt[]; held: HeldAttempt[]; heard: string[]; beats: number };
let worker: AttemptWorker;

beforeEach(() => {
  clock = new FakeClock(0);
  executor = new ScriptedExecutor(() => clock.now().getTime());
  api = {
    ...{ isThere: true, waiting: [], held: [], heard: [], beats: 0 },
    signIn: () => Promise.resolve({ worker: 'ann', beatMs: BEAT_MS }),
    beat: () => {
      api.beats += 1;
      const taken = api.waiting.splice(0);
      for (const {
        assignment: { attemptId, runId, fence },
      } of taken)
        api.held.push({ attemptId, runId, fence, cancel: null });
      return Promise.resolve({ queues: [], held: [...api.held], taken });
    },
    claim: () => Promise.resolve([]),
    report: (results) => {
      if (!api.isThere) return Promise.reject(new SluiceError('unavailable', 'away'));
      api.heard.push(...results.map(({ attemptId, outcome }) => `${attemptId} ${outcome.kind}`));
      api.held = api.held.filter((held) => !results.some(({ attemptId }) => attemptId === held.attemptId));
      return Promise.resolve(results.map(({ attemptId }) => attemptId));
    },
    signOut: () => Promise.resolve(),
  };
  worker = new AttemptWorker({
    api,
    hear: () => ({ serve: () => undefined, setFree: () => undefined, close: () => Promise.resolve() }),
    executor: Object.assign(executor as Executor, { capacity: 2 }),
    keep: (claimed) => claimed.assignment,
    forget: () => undefined,
    clock,
    say: () => undefined,
    problem: () => undefined,
  });
});

const pass = (ms: number) => clock.moveTo(clock.now().getTime() + ms, () => turn());

test('an attempt that ended while reports fail is told once, as it ended', async () => {
  api.waiting.push({ assignment, secrets: {}, storages: {}, dataFolders: [] });
  await worker.start();
  api.isThere = false;
  executor.end('t');
  await pass(5 * BEAT_MS);
  expect(api.held).toHaveLength(1);
  api.isThere = true;
  await pass(5 * BEAT_MS);
  expect(api.heard).toEqual(['7 success']);
  await worker.stop(0);
});

test('a beat that is under way while it stops is the last', async () => {
  await worker.start();
  const { beat } = api;
  let answer = (): void => undefined;
  api.beat = async (free) => {
    await new Promise<void>((resolve) => (answer = resolve));
    return beat(free);
  };
  await pass(BEAT_MS);
  const stopped = worker.stop(0);
  await turn();
  answer();
  await stopped;
  api.beat = beat;
  const { beats } = api;
  await pass(5 * BEAT_MS);
  expect(api.beats).toBe(beats);
});
