import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { recordTests } from '#store';
import { createTestDatabase, type TestDatabase } from '#testing';
import { ANN, BEN, JENKINS, PromotionWorld } from '../../testing/promotion-world.ts';
import { FAILURE } from '../../testing/scripted-executor.ts';
import { stepPromotions } from './step-promotions.ts';

const PIPELINE = 'name: p\ntasks: { a: { run: "true" } }';
const HOUR_MS = 3_600_000;

let database: TestDatabase;
let world: PromotionWorld;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await world.close();
  await database.drop();
});

/** Releases a, b, c and d, verified in dev; `prod`: more of its environment file. */
async function aWorld(prod = '', pipeline = PIPELINE): Promise<void> {
  world = await PromotionWorld.open({ url: database.url, prod });
  for (const release of ['a', 'b', 'c', 'd']) {
    await world.release(release, pipeline);
    await world.promote('dev', release);
  }
}

const approve = (id: string, by = ANN) =>
  world.promotions.decide(id, { decision: 'approve', comment: null, approver: null }, by);

describe('a gate that somebody passes over', () => {
  const GATES = 'gates: [{ smoke: { pipelines: p } }, { metric: { pipeline: p, expr: metrics.auc > 1 } }]\nverify: {}';
  const METRIC = 'metric p: metrics.auc > 1';
  const askAgain = (gate: string) => world.ask('prod', 'a', { overrides: [gate], reason: 'known' }, BEN);
  const state = async (id: string, gate: string) => (await world.gates(id)).find((one) => one.startsWith(gate));

  test('is passed over also when the promotion is under way, before and after it was looked at, and the trail says by whom', async () => {
    await aWorld(GATES);
    world.end = () => Promise.resolve(null);
    const id = await world.ask('prod', 'a');
    await world.settle();
    expect([await state(id, 'smoke'), await state(id, 'metric')]).toEqual(['smoke p: pending', undefined]);
    for (const gate of [METRIC, 'smoke p']) expect(await askAgain(gate)).toBe(id);
    // A build that is started again asks for the same, and changes nothing.
    expect(await askAgain(METRIC)).toBe(id);
    await world.settle();
    expect([await state(id, 'smoke'), await state(id, 'metric')]).toEqual([
      'smoke p: overridden',
      `${METRIC}: overridden`,
    ]);
    const trail = await world.db.query<{ actor: string; gate: string }[]>(
      `select actor, detail->>'gate' as gate from audit where action = 'gate.override' order by seq`,
    );
    expect(trail).toEqual([
      { actor: 'ben', gate: METRIC },
      { actor: 'ben', gate: 'smoke p' },
    ]);
  });

  test('and has passed already is refused, rather than ignored', async () => {
    await aWorld(GATES);
    const id = await world.ask('prod', 'a');
    await world.settle();
    expect(await state(id, METRIC)).toBe(`${METRIC}: inconclusive`);
    await expect(askAgain('smoke p')).rejects.toThrow(
      `Promotion ${id} has no gate "smoke p" that waits for an answer.`,
    );
    await askAgain(METRIC);
    expect(await state(id, METRIC)).toBe(`${METRIC}: overridden`);
  });

  test('of a promotion that is done is no concern any more', async () => {
    await aWorld();
    const id = await world.ask('prod', 'a');
    expect(await world.course(id)).toMatch(/^verified/);
    expect(await askAgain('validate')).toBe(id);
  });
});

test('the time of a smoke gate counts from when its own runs were started, not from the promotion’s begin', async () => {
  await aWorld('soak: 2h\ngates: [{ smoke: { pipelines: p, timeout: 1h } }]');
  world.end = () => Promise.resolve(null);
  const id = await world.ask('prod', 'a');
  expect(await world.course(id)).toMatch(/^gates: soak/);
  // Postgres knows no fake clock: three hours pass by what it stamped.
  await world.db
    .query(`update promotion set state_at = state_at - interval '3 h', requested_at = requested_at - interval '3 h',
                        finished_at = finished_at - interval '3 h'`);
  expect(await world.course(id)).toBe('gates: smoke p: Runs p in dev.');
  const begin = world.clock.now().getTime();
  await world.clock.moveTo(begin + 0.9 * HOUR_MS, () => world.settle());
  expect(await world.course(id)).toMatch(/^gates/);
  await world.clock.moveTo(begin + 1.1 * HOUR_MS, () => world.settle());
  expect(await world.course(id)).toBe('failed: Gate smoke p failed: p did not succeed in time.');
});

test('the first promotion ever that fails its verification has nothing to return to: the schedules pause', async () => {
  await aWorld(
    'verify: { pipelines: p }\nauto_rollback: true\nschedules: active',
    `${PIPELINE}\nschedule: "0 6 * * *"\n`,
  );
  world.end = ({ environment }) => Promise.resolve(environment === 'prod' ? { outcome: FAILURE } : {});
  expect(await world.promote('prod', 'a')).toMatch(/^rolled_back: Verification run/);
  expect(await world.pointed('prod')).toEqual(['a']);
  const schedules = await world.db.query(`select pipeline, paused from schedule where environment = 'prod'`);
  expect(schedules).toEqual([{ pipeline: 'p', paused: true }]);
});

test('a second rollback goes further back, not forward again', async () => {
  await aWorld();
  for (const release of ['a', 'b', 'c']) await world.promote('prod', release);
  await world.course(await world.rollBack());
  await world.course(await world.rollBack());
  expect(await world.pointed('prod')).toEqual(['a', 'b', 'c', 'b', 'a']);
  await expect(world.rollBack()).rejects.toThrow('No release was verified in prod before the present one.');
});

test('a window that closes after the last look stays closed: the switch looks once more', async () => {
  await aWorld('window: { cron: "* 9 * * *" }');
  const nine = Date.parse('2030-01-01T09:59:59Z');
  await world.clock.moveTo(nine, () => Promise.resolve());
  const id = await world.ask('prod', 'a');
  const { switchPromotion } = world.parts.promotions;
  const late = {
    ...world.parts.promotions,
    switchPromotion: async (...given: Parameters<typeof switchPromotion>) => {
      // Between the decision and its transaction, the hour strikes.
      await world.clock.moveTo(nine + 2000, () => Promise.resolve());
      return switchPromotion(...given);
    },
  };
  await stepPromotions({ ...world.parts, promotions: late });
  expect(await world.pointed('prod')).toEqual([]);
  expect(await world.course(id)).toBe('window: Waits for the window of the environment.');
});

test('verifying nothing is no success', async () => {
  await aWorld('verify: { pipelines: "other-*" }\nauto_rollback: true');
  await world.promote('prod', 'a');
  const { promotion } = await world.case(await lastPromotion());
  expect([promotion.state, promotion.detail]).toEqual([
    'rolled_back',
    'Nothing could be verified: no pipeline other-* of the release can be started by itself.',
  ]);
});

async function lastPromotion(): Promise<string> {
  const [row] = await world.db.query<{ id: string }[]>('select max(id)::text as id from promotion');
  return row?.id ?? '';
}

test('approvals are for the plan that was looked at: when it changes, what was approved is superseded, and asked for anew', async () => {
  await aWorld('approvals: { count: 2 }');
  const id = await world.ask('prod', 'a');
  await world.settle();
  await approve(id);
  await world.configure('prod', 'from: [dev]\napprovals: { count: 2 }\npools: { extra: 1 }');
  expect(await world.course(id)).toMatch(/^superseded: The plan is stale/);
  const again = await world.ask('prod', 'a');
  expect(again).not.toBe(id);
  expect(await world.course(again)).toBe('approval: Waits for 2 approvals.');
  await approve(again, BEN);
  // Ann's approval was for the other plan.
  expect(await world.course(again)).toBe('approval: Waits for 1 approval.');
  await expect(approve(again, JENKINS)).rejects.toThrow('asked for this promotion');
});

test('a gate on tests takes what was recorded with the very release last, and asks a person when nothing was', async () => {
  await aWorld('gates: [{ tests: {} }]');
  const record = (release: string, failed: number) =>
    recordTests(world.db, release, {
      ...{ passed: 3, failed, seconds: 0.5, junit: 'f'.repeat(64), buildUrl: 'https://ci.example/7', actor: 'ci' },
    });
  await record('a', 0);
  await record('a', 1);
  await record('b', 1);
  await record('b', 0);
  expect(await world.promote('prod', 'a')).toMatch(
    /^failed: Gate tests failed: 1 of 4 tests failed, recorded by ci at /,
  );
  const id = await world.ask('prod', 'b');
  expect(await world.course(id)).toMatch(/^verified/);
  const gate = (await world.case(id)).gates.find(({ kind }) => kind === 'tests');
  expect(gate).toMatchObject({
    detail: expect.stringMatching(/^3 tests passed, recorded by ci at \d{4}-/),
    evidence: { passed: 3, failed: 0, seconds: 0.5, actor: 'ci', buildUrl: 'https://ci.example/7' },
  });
  expect(await world.promote('prod', 'c')).toBe('approval: Waits for 1 approval.');
  await world.configure('prod', 'from: [dev]\ngates: [{ tests: { on_missing: fail } }]');
  expect(await world.promote('prod', 'd')).toBe('failed: Gate tests failed: No tests are recorded with the release.');
});
