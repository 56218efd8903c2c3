import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Assignment } from '#core';
import { createTestDatabase, type TestDatabase } from '#testing';
import { PromotionWorld } from '../../testing/promotion-world.ts';
import { FAILURE } from '../../testing/scripted-executor.ts';

/* What people see at a location after a rollback: real files, real database. */

const PIPELINE = `
name: etl
paths: { out: out }
tasks:
  load: { run: "true", writes: [out] }`;
const WITH_EXTRA = `
name: etl
paths: { out: out, extra: extra }
tasks:
  load: { run: "true", writes: [out] }
  more: { run: "true", needs: [load], writes: [extra] }`;
const VERIFIED = 'verify: { pipelines: [etl] }\nauto_rollback: true';

let database: TestDatabase;
let folder: string;
let world: PromotionWorld;
beforeEach(async () => {
  [database, folder] = [await createTestDatabase(), await mkdtemp(path.join(tmpdir(), 'sluice-rollback-'))];
  world = await PromotionWorld.open({ url: database.url, storage: folder, prod: VERIFIED });
  for (const [digest, text] of Object.entries({ r1: PIPELINE, r2: WITH_EXTRA, r3: WITH_EXTRA })) {
    await world.release(digest, text);
    world.end = publish();
    await world.promote('dev', digest);
  }
  await world.promote('prod', 'r1');
  await world.run('prod', 'etl');
});
afterEach(async () => {
  expect(world.problems).toEqual([]);
  await world.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/** Each attempt publishes its release's name; those of `waiting` go on, verification of `broken` fails. */
function publish({ waiting = async (_: Assignment) => false, broken = '' } = {}): PromotionWorld['end'] {
  return async (assignment) => {
    const { attemptId, runId, environment, writes, release, pipeline, taskId, mapIndex, number, fence } = assignment;
    if (await waiting(assignment)) return null;
    if (release === broken && (await isVerification(assignment))) return { outcome: FAILURE };
    const storage = world.storageOf(environment);
    const staged = await storage.stage({ attemptId, runId, reads: [], writes });
    for (const { variable } of writes) await writeFile(path.join(staged.folders[variable] ?? '', 'data'), release);
    const versions = await storage.seal(staged, { release, pipeline, runId, taskId, mapIndex, attempt: number, fence });
    await storage.discard(staged);
    return { versions };
  };
}

const isVerification = async ({ runId }: Assignment): Promise<boolean> =>
  (await world.parts.store.getRun(runId))?.trigger === 'verification';
const shown = async (): Promise<(string | null)[]> =>
  Promise.all(
    ['out', 'extra'].map((name) => readFile(path.join(folder, 'prod/etl', name, 'data'), 'utf8').catch(() => null)),
  );
/** A process that starts after another one was killed: the first tick of its scheduler sweeps. */
async function anotherProcess(): Promise<void> {
  const other = await PromotionWorld.open({ url: database.url, storage: folder, prod: VERIFIED });
  await other.scheduler.tick();
  await other.scheduler.idle();
  await other.close();
}
/** The switch to a release, a run of it that publishes, then the end of its verification, which fails. */
async function promoteAndFail(release: string): Promise<string> {
  world.end = publish({ waiting: isVerification });
  const id = await world.ask('prod', release);
  expect(await world.course(id)).toMatch(/^verifying: /);
  await world.run('prod', 'etl');
  expect(await shown()).toEqual([release, release]);
  world.end = publish({ broken: release });
  expect(await world.course(id)).toMatch(/^rolled_back: /);
  return id;
}

test('after an automatic rollback a location shows the version before, and one that had none shows nothing', async () => {
  await promoteAndFail('r2');
  expect(await world.pointed('prod')).toEqual(['r1', 'r2', 'r1']);
  // Committed, and the process dies before storage shows it.
  expect(await shown()).toEqual(['r2', 'r2']);
  await anotherProcess();
  expect(await shown()).toEqual(['r1', null]);
  expect(await world.parts.store.unprojected(10)).toEqual([]);
  expect(await world.parts.store.newestVersions('prod', 'etl', 'extra', null)).toEqual([]);

  // The release before goes on publishing where it left off.
  world.end = publish();
  await world.run('prod', 'etl');
  await promoteAndFail('r3');
  await anotherProcess();
  expect(await shown()).toEqual(['r1', null]);
});

test('what was rolled back twice is never taken for the version before', async () => {
  await promoteAndFail('r2');
  await promoteAndFail('r3');
  await anotherProcess();
  expect(await shown()).toEqual(['r1', null]);
});

test('runs of a rolled-back release that were under way end without showing anything', async () => {
  // One task of the run has published, the other begins when the release is rolled back already.
  let running = '';
  world.end = publish({ waiting: async (one) => (await isVerification(one)) || one.taskId === 'more' });
  const id = await world.ask('prod', 'r2');
  await world.settle();
  running = await world.run('prod', 'etl');
  world.end = publish({ broken: 'r2', waiting: async ({ runId }) => runId === running });
  await world.course(id);
  await anotherProcess();
  expect(await shown()).toEqual(['r1', null]);
  world.end = publish();
  await world.settle();
  expect(await world.parts.store.getRun(running)).toMatchObject({ state: 'success', release: 'r2' });
  await anotherProcess();
  expect(await shown()).toEqual(['r1', null]);
});

test('a run of the release before that was under way since then publishes after the rollback', async () => {
  world.end = publish({ waiting: async () => true });
  const running = await world.run('prod', 'etl');
  const own = async ({ runId }: Assignment) => runId === running;
  world.end = publish({ waiting: async (one) => (await own(one)) || (await isVerification(one)) });
  const id = await world.ask('prod', 'r2');
  await world.settle();
  await world.run('prod', 'etl');
  world.end = publish({ broken: 'r2', waiting: own });
  await world.course(id);
  await anotherProcess();
  const before = await world.parts.store.newestVersions('prod', 'etl', 'out', null);
  world.end = publish();
  await world.settle();
  expect(await world.parts.store.newestVersions('prod', 'etl', 'out', null)).not.toEqual(before);
  expect(await shown()).toEqual(['r1', null]);
});

test('a plan of a rollback lists the locations that return, and the rollback returns them', async () => {
  world.end = publish();
  await world.promote('prod', 'r2');
  await world.run('prod', 'etl');
  const { takenBack } = await world.promotions.plan('prod', { release: 'r1' }, 'rollback');
  expect(takenBack).toEqual([
    { location: 'etl/extra', version: expect.stringContaining('etl/extra/v'), before: null },
    { location: 'etl/out', version: expect.any(String), before: expect.stringContaining('etl/out/v') },
  ]);
  expect((await world.promotions.plan('prod', { release: 'r3' }, 'promote')).takenBack).toEqual([]);
  expect(await world.course(await world.rollBack())).toMatch(/^verified: /);
  await anotherProcess();
  expect(await shown()).toEqual(['r1', null]);
});
