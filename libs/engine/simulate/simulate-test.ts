import { SluiceError, type CompiledPipeline } from '#core';
import {
  creationOf,
  ds,
  type ExpectedLook,
  type GivenVersion,
  type PipelineTest,
  type RunTest,
  type Scope,
} from '#dag';
import { planRun } from '../graph-of.ts';
import { renderLocation } from '../locations.ts';
import { ownRun, type OwnedRun } from '../owned-run.ts';
import type { RunLook } from './run-look.ts';
import { SimulatedData } from './simulated-data.ts';
import { SimulatedRun } from './simulated-run.ts';
import { SimulatedTime } from './simulated-time.ts';
import type { TestWorld } from './test-world.ts';

/** When runs without an interval are created: the same in every test. */
const BEGINNING = Date.UTC(2026, 0, 1);
const RUN_ID = '1';

export interface SimulatedTest {
  /** In the order of the expectations. */
  readonly looks: readonly { readonly expected: ExpectedLook; readonly seen: RunLook }[];
  /** When nothing happens any more. */
  readonly end: RunLook;
}

/** Runs the pipeline as the test says, from the creation of the run until nothing happens any more. */
export async function simulateTest(
  { pipeline, environment }: PipelineTest,
  test: RunTest,
  pipelines: readonly CompiledPipeline[],
  world: TestWorld,
): Promise<SimulatedTest> {
  const { interval } = test;
  const createdAt = interval === null ? BEGINNING : creationOf(pipeline.schedule, interval).getTime();
  const time = new SimulatedTime(createdAt);
  const data = new SimulatedData(test.baseline);
  const run = new SimulatedRun(ownedRun(pipeline, environment, test, createdAt), {
    ...{ test, data, world, time },
    pipelines: {
      get: async (_release, name) => pipelines.find((one) => one.name === name) ?? null,
      all: async () => pipelines,
    },
  });
  for (const given of test.given)
    if (given.afterMs === 0) await publish(given, data, world);
    else
      time.at(createdAt + given.afterMs, async () => {
        await publish(given, data, world);
        await run.dataArrived();
      });
  const looks: SimulatedTest['looks'][number][] = [];
  const lookUntil = (instant: number) => {
    for (const expected of test.looks.slice(looks.length)) {
      const at = expected.afterMs === null ? Infinity : createdAt + expected.afterMs;
      // At an instant one sees everything that happened at it.
      if (at >= instant) return;
      time.now = Math.max(time.now, at);
      looks.push({ expected, seen: run.look() });
    }
  };
  await run.start();
  while (!run.hasEnded && time.next !== null) {
    lookUntil(time.next);
    await time.step();
  }
  lookUntil(Infinity);
  const end = run.look();
  return { looks: [...looks, ...test.looks.slice(looks.length).map((expected) => ({ expected, seen: end }))], end };
}

function ownedRun(
  pipeline: CompiledPipeline,
  config: PipelineTest['environment'],
  { params, trigger, interval }: RunTest,
  createdAt: number,
): OwnedRun {
  // By chance some retries wait longer than others, and a cache knows other runs; a test wants to know what happens.
  const steady = pipeline.tasks.map(({ cache: _cache, ...task }) => ({
    ...task,
    retries: { ...task.retries, jitter: 0 },
  }));
  const created = new Date(createdAt).toISOString();
  const record: OwnedRun['record'] = {
    id: RUN_ID,
    environment: config.name,
    pipeline: pipeline.name,
    release: '',
    trigger,
    shadow: false,
    intervalStart: interval?.start.toISOString() ?? null,
    intervalEnd: interval?.end.toISOString() ?? null,
    params,
    originRun: null,
    state: 'running',
    cancelRequested: false,
    createdAt: created,
    startedAt: created,
    timeoutAt: null,
    leaseToken: '0',
  };
  return ownRun(record, planRun({ ...pipeline, tasks: steady }, config.pools), { config, hash: '' }, []);
}

async function publish(
  { pipeline, path, interval, files, folder }: GivenVersion,
  data: SimulatedData,
  world: TestWorld,
) {
  const day = interval === null ? {} : { ds: ds(interval, pipeline.schedule) };
  const nodash = 'ds' in day ? { ds_nodash: day.ds?.replaceAll('-', '') } : {};
  const defaults = Object.fromEntries(Object.entries(pipeline.params).map(([name, schema]) => [name, schema.default]));
  const scope = {
    ...{ params: defaults, env: { name: '', vars: {} }, ...day, ...nodash },
    run: { id: 'given', trigger: 'given', release: '', interval: null },
  };
  const rendered = renderLocation(pipeline, path, scope as Scope, '');
  if (!rendered.ok)
    throw new SluiceError(
      'bad_request',
      `What is given for ${pipeline.name}.${path} has no place: ${rendered.message}`,
    );
  const { location } = rendered;
  const variable = `PATH_${path.toUpperCase()}`;
  const version = await world.publish({ name: path, variable, location }, { files, folder });
  data.publish({
    ...{ pipeline: pipeline.name, path, location, version: version.version, manifestHash: version.manifestHash },
    ...{ mapKey: '', runId: 'given' },
    intervalStart: interval?.start.toISOString() ?? null,
    intervalEnd: interval?.end.toISOString() ?? null,
  });
}
