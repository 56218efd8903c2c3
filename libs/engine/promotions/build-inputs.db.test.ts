import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createJenkinsCalls, createJenkinsSender } from '#alerts';
import { deliverAlerts, lookAtBuilds } from '#engine';
import { createTestDatabase, startJenkinsServer, type JenkinsServer, type TestDatabase } from '#testing';
import { ANN, BEN, PromotionWorld } from '../../testing/promotion-world.ts';

let jenkins: JenkinsServer;
let database: TestDatabase;
let world: PromotionWorld;
let build: string;
let builds = 0;
beforeAll(async () => {
  jenkins = await startJenkinsServer();
});
afterAll(() => jenkins.close());
beforeEach(async () => {
  database = await createTestDatabase();
  build = jenkins.build(`job/flights/${++builds}/`, 'prod');
});
afterEach(async () => {
  await world.close();
  await database.drop();
});

/** A release that was verified in dev; `prod`: more of its environment file. */
async function aWorld(prod = 'approvals: { count: 1 }'): Promise<void> {
  world = await PromotionWorld.open({ url: database.url, prod, jenkins });
  await world.release('a', 'name: p\ntasks: { t: { run: "true" } }');
  await world.promote('dev', 'a');
}

/** Asks as a build does before its input waits; its promotion. */
const wait = (input = 'prod', of = build) => world.ask('prod', 'a', { buildUrl: of, input });
/** Asks as a build does once its input was answered by this person. */
const goOn = (approver: string) => world.ask('prod', 'a', { buildUrl: build, input: 'prod', approver });
const decide = (id: string, decision: 'approve' | 'reject', by = ANN) =>
  world.promotions.decide(id, { decision, comment: null, approver: null }, by);

/** What a process sends once it looks; `dies` before it notes that it did. */
async function deliver({ dies = false } = {}): Promise<void> {
  await world.settle();
  await world.db.query(`update alert_delivery set next_try_at = now() where state = 'pending'`);
  const sender = createJenkinsSender(jenkins);
  const { store, observer } = world.parts;
  await deliverAlerts({
    store: dies ? { ...store, recordAlert: () => Promise.resolve() } : store,
    senderFor: (_name, kind) => Promise.resolve(kind === 'jenkins' ? sender : null),
    logsFor: () => {
      throw new Error('no log belongs to it');
    },
    observer,
  });
}

/** `state detail`, of each answer in the delivery log. */
async function delivered(): Promise<string[]> {
  const rows = await world.db.query<{ line: string }[]>(
    `select state || ' ' || coalesce(detail, '') as line from alert_delivery where target like 'jenkins:%' order by id`,
  );
  return rows.map(({ line }) => line);
}

const lookAround = () => {
  const calls = createJenkinsCalls(jenkins);
  const resultOf = async (url: string) => (await calls.status(url))?.result ?? null;
  return lookAtBuilds({ ...world.parts, builds: { resultOf } }, 0);
};

describe('a build that waits at its input', () => {
  test('goes on once somebody approved in Sluice, and follows the promotion it waited for', async () => {
    await aWorld();
    const id = await wait();
    await deliver();
    expect([jenkins.answers(build), await world.course(id)]).toEqual([[], 'approval: Waits for 1 approval.']);
    await decide(id, 'approve');
    await deliver();
    expect(jenkins.answers(build)).toEqual(['Prod proceed sluice']);
    expect(await delivered()).toEqual(['sent input prod: proceed']);
    // In the name of the account that answered: it approves nothing.
    expect(await goOn('sluice')).toBe(id);
    expect((await world.case(id)).approvals.map(({ approver }) => approver)).toEqual(['ann']);
  });

  test('ends when somebody rejects in Sluice', async () => {
    await aWorld();
    await decide(await wait(), 'reject');
    await deliver();
    expect(jenkins.answers(build)).toEqual(['Prod abort sluice']);
  });

  test('goes on to report the gate that failed', async () => {
    await aWorld('gates: [{ metric: { pipeline: p, expr: metrics.auc > 1, on_missing: fail } }]');
    const id = await wait();
    await deliver();
    expect(jenkins.answers(build)).toEqual(['Prod proceed sluice']);
    expect(await goOn('sluice')).toBe(id);
    expect((await world.case(id)).promotion.state).toBe('failed');
  });

  test('is waited for, also where the environment asks for no approval', async () => {
    await aWorld('');
    expect(await world.course(await wait())).toBe('approval: Waits for 1 approval.');
  });

  test('and was answered in Jenkins approves as before, and hears nothing from here', async () => {
    await aWorld();
    const id = await wait();
    await goOn('ben');
    await deliver();
    expect([(await world.case(id)).promotion.state, await delivered()]).toEqual(['verified', []]);
  });

  test('is answered at once when it comes to a promotion that has been decided on', async () => {
    await aWorld();
    await decide(await wait(), 'approve');
    await deliver();
    const again = jenkins.build('job/flights/again/1/', 'prod');
    await wait('prod', again);
    await deliver();
    expect(jenkins.answers(again)).toEqual(['Prod proceed sluice']);
  });
});

describe('an answer', () => {
  test('survives the death of who sent it, and reaches a build that waits later; the build’s going on confirms it', async () => {
    await aWorld();
    build = jenkins.build('job/late/1/');
    const id = await wait();
    await decide(id, 'approve');
    await deliver();
    expect(await delivered()).toEqual([expect.stringMatching(/^pending .*not yet, or no more/)]);
    jenkins.waitAt(build, 'prod');
    await deliver({ dies: true });
    expect(jenkins.answers(build)).toEqual(['Prod proceed sluice']);
    await deliver();
    expect(await delivered()).toEqual([expect.stringMatching(/^pending/)]);
    await goOn('sluice');
    expect(await delivered()).toEqual(['sent the build went on by itself']);
    expect(jenkins.answers(build)).toHaveLength(1);
  });

  test('is put into the outbox by one of two processes', async () => {
    await aWorld();
    await decide(await wait(), 'approve');
    const other = await PromotionWorld.open({ url: database.url, prod: 'approvals: { count: 1 }', jenkins });
    await Promise.all([world.settle(), other.settle()]);
    await other.close();
    expect(await delivered()).toHaveLength(1);
  });
});

describe('a build that ends while it waits', () => {
  test.each(['ABORTED', 'NOT_BUILT'])('%s takes its promotion with it', async (result) => {
    await aWorld();
    const id = await wait();
    await world.settle();
    await lookAround();
    expect((await world.case(id)).promotion.state).toBe('approval');
    jenkins.end(build, result);
    await lookAround();
    expect(await world.course(id)).toBe(`cancelled: The build that waited for it ended: ${result}.`);
    await deliver();
    expect(await delivered()).toEqual([]);
  });

  test('with a failure leaves the promotion to who starts it again, or approves here', async () => {
    await aWorld();
    const id = await wait();
    await world.settle();
    jenkins.end(build, 'FAILURE');
    await lookAround();
    expect((await world.case(id)).promotion.state).toBe('approval');
    build = jenkins.build('job/flights/restarted/2/', 'prod');
    expect(await wait()).toBe(id);
    await decide(id, 'approve', BEN);
    await deliver();
    expect(jenkins.answers(build)).toEqual(['Prod proceed sluice']);
  });

  test('is no concern while another build waits for the same', async () => {
    await aWorld();
    const id = await wait();
    await wait('prod', jenkins.build('job/flights/twin/1/', 'prod'));
    await world.settle();
    jenkins.end(build, 'ABORTED');
    await lookAround();
    expect((await world.case(id)).promotion.state).toBe('approval');
  });
});

test.each([
  [null, 'belongs to a build that is not named'],
  ['https://elsewhere.example/job/a/1/', 'is not one of http://127.0.0.1'],
])('a build %p cannot wait: nobody would answer it', async (buildUrl, why) => {
  await aWorld();
  await expect(world.ask('prod', 'a', { buildUrl, input: 'prod' })).rejects.toThrow(why);
  expect((await world.db.query('select from promotion')).length).toBe(1);
});
