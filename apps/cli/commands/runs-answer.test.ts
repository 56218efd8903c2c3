import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ContractServer } from '../fixture/contract-server.ts';
import { aRunDetail, aTaskRun } from '../fixture/records.ts';
import { sluice } from '../fixture/test-io.ts';

let server: ContractServer;
beforeEach(async () => {
  server = await new ContractServer().start();
  server.on('GET /runs/7', { json: aRunDetail({ id: '7' }, [asking(0, 'eu'), asking(1, 'us')]) });
});
afterEach(() => server.stop());

function asking(mapIndex: number, region: string) {
  return aTaskRun({
    ...{ taskId: 'sure', mapIndex, mapKey: `region=${region}`, state: 'waiting' },
    wait: {
      ...{ kind: 'approve', what: `Publish ${region}?`, groups: [], onTimeout: 'fail', detail: null },
      ...{ since: '2026-01-03T11:00:00.000Z', checkedAt: null, nextCheckAt: null, timeoutAt: null },
    },
  });
}

test('`runs show` names the item that asks in a word that a shell leaves alone', async () => {
  const { err } = await sluice(['runs', 'show', '7'], { env: server.env, tty: true });
  expect(err).toContain("sluice runs approve 7 'sure[region=eu]'");
});

test.each(['sure[region=us]', 'sure[1]'])('%s answers that item', async (word) => {
  const answered = [{ mapIndex: 1, mapKey: 'region=us' }];
  server.on('POST /runs/7/tasks/sure/approvals', { json: { answered } });
  const argv = ['runs', 'approve', '7', word, '--reject', '--comment', 'no', '-o', 'csv'];
  const { out, err } = await sluice(argv, { env: server.env });
  expect([out, err]).toEqual(['run,task,decision,comment\n7,sure[region=us],reject,no\n', '']);
  expect(server.asked[1]?.body).toEqual({ decision: 'reject', comment: 'no', map: 1 });
});

test('a task alone answers all of its items that ask, and says so', async () => {
  const answered = ['eu', 'us'].map((region, mapIndex) => ({ mapIndex, mapKey: `region=${region}` }));
  server.on('POST /runs/7/tasks/sure/approvals', { json: { answered } });
  const { out, err } = await sluice(['runs', 'approve', '7', 'sure', '-o', 'name'], { env: server.env });
  expect([out, err]).toEqual([
    'sure[region=eu]\nsure[region=us]\n',
    'No item was named: all 2 that asked are answered.\n',
  ]);
  expect(server.asked[0]?.body).toEqual({ decision: 'approve', comment: null });
});

test('an item that is none is refused with those that ask', async () => {
  const { code, err } = await sluice(['runs', 'approve', '7', 'sure[region=jp]'], { env: server.env });
  expect([code, err]).toEqual([
    5,
    'error: Task "sure" of run 7 has no item "region=jp".\nhint: It asks about region=eu, region=us.\n',
  ]);
});
