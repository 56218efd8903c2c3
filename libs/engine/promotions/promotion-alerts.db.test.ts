import { afterEach, describe, expect, test } from '@jest/globals';
import { promoting, someone, type Promoting } from '../../testing/promoting.ts';
import { FAILURE } from '../../testing/scripted-executor.ts';
import { World } from '../../testing/world.ts';
import { tellOfPromotions } from './promotion-alerts.ts';
import { stepPromotions } from './step-promotions.ts';

let world: World;
afterEach(() => world.close());

const PIPELINE = 'name: p\ntasks: { a: { run: "true" } }';
const ROUTES = 'slack: { channel: "#data" }, email: { to: [ops@acme.example] }';

async function aWorld(rules: string, alerts = ROUTES): Promise<Promoting> {
  world = await World.open({ environment: `alerts: { ${alerts} }\n${rules}` });
  await world.release(PIPELINE);
  return promoting(world);
}

/** `event target: end of the title`, in the order of the outbox. */
async function told(): Promise<string[]> {
  const rows = await world.db.query<{ line: string }[]>(
    `select event || ' ' || target || ': ' || regexp_replace(message->>'title', '^.* to dev ', '') as line
     from alert_delivery order by id`,
  );
  return rows.map(({ line }) => line);
}

const approve = ({ promotions }: Promoting, id: string, by: string) =>
  promotions.decide(id, { decision: 'approve', comment: null, approver: null }, someone(by));

describe('a promotion that waits for approval', () => {
  test('is told over every route once; what follows changes the message in Slack, and writes no more mails', async () => {
    const it = await aWorld('approvals: { count: 2 }');
    const id = await it.promote();
    await it.step();
    await it.step();
    const waiting = ['slack:#data', 'email:ops@acme.example'].map(
      (to) => `promotion.waiting ${to}: waits for approval`,
    );
    expect(await told()).toEqual(waiting);
    await approve(it, id, 'anna');
    await it.step();
    await approve(it, id, 'ben');
    await it.step();
    expect((await told()).slice(2)).toEqual([
      'promotion.waiting slack:#data: was approved by anna, and waits for 1 more',
      'promotion.verified slack:#data: is verified',
    ]);
    const [{ message } = { message: {} }] = await world.db.query<{ message: Record<string, unknown> }[]>(
      `select message from alert_delivery order by id limit 1`,
    );
    expect(message).toMatchObject({
      runUrl: `http://sluice/promotions/${id}`,
      decision: { promotion: id, planHash: expect.any(String) },
      details: expect.arrayContaining([
        { label: 'Gates', value: 'validate: passed' },
        { label: 'Approvals', value: '0 of 2' },
        { label: 'Requested by', value: 'jenkins' },
      ]),
    });
  });

  test('and is cancelled or superseded loses its buttons', async () => {
    const it = await aWorld('approvals: { count: 1 }');
    await it.promotions.cancel(await it.promote(), someone('ben'));
    await it.step();
    expect(await told()).toEqual([]);
    await it.promotions.cancel(await asked(it), someone('ben'));
    await it.step();
    expect(await told()).toEqual([expect.stringContaining('waits'), 'promotion.failed slack:#data: was cancelled']);
  });

  /** One that is told over Slack only. */
  async function asked(it: Promoting): Promise<string> {
    const id = await it.promote();
    await it.step();
    await world.db.query(`delete from alert_delivery where target like 'email:%'`);
    return id;
  }

  test('is told by one of two processes, and by the next one when the first died before it could', async () => {
    const it = await aWorld('approvals: { count: 1 }');
    await it.promote();
    // The states of the promotion were committed, and nothing else.
    const dying = { ...it.parts.promotions, untoldPromotions: () => Promise.reject(new Error('killed')) };
    await expect(stepPromotions({ ...it.parts, promotions: dying })).rejects.toThrow('killed');
    expect(await told()).toEqual([]);
    await Promise.all([tellOfPromotions(it.parts), tellOfPromotions(it.parts)]);
    expect(await told()).toHaveLength(2);
    expect(world.problems).toEqual([]);
  });
});

describe('a promotion that ends badly', () => {
  test('is told once: what failed at a gate', async () => {
    const it = await aWorld('from: [test]');
    await it.promote();
    await it.step();
    await it.step();
    expect(await told()).toEqual([
      'promotion.failed slack:#data: ended without effect',
      'promotion.failed email:ops@acme.example: ended without effect',
    ]);
  });

  test('is told once: what failed its verification and was rolled back', async () => {
    const it = await aWorld('verify: { runs: 1 }\nauto_rollback: true');
    await it.promote();
    await it.step();
    await world.end('a', FAILURE);
    await it.step();
    await it.step();
    expect(await told()).toEqual([
      'promotion.rolled_back slack:#data: was rolled back',
      'promotion.rolled_back email:ops@acme.example: was rolled back',
    ]);
    const { state } = (await it.parts.promotions.promotionCase('1'))!.promotion;
    expect(state).toBe('rolled_back');
  });

  test('is told to nobody where its event is muted or not asked for', async () => {
    const it = await aWorld('from: [test]', `${ROUTES}, mute: [promotion.failed]`);
    await it.promote();
    await it.step();
    expect(await told()).toEqual([]);
  });
});

test('who asks for it is told of each release that was verified', async () => {
  const it = await aWorld('', `${ROUTES}, on: [promotion.verified]`);
  await it.promote();
  await it.step();
  expect(await told()).toEqual([
    'promotion.verified slack:#data: is verified',
    'promotion.verified email:ops@acme.example: is verified',
  ]);
});
