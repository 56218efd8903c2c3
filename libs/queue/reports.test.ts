import { expect, test } from '@jest/globals';
import { SluiceError, type AttemptResult } from '#core';
import { reportRequest } from '#contracts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Reports } from './reports.ts';

const proof = { worker: `worker-${'0'.repeat(36)}`, key: 'k'.repeat(43) };
const result: AttemptResult = {
  ...{ attemptId: '7', runId: '3', fence: 1, outcome: { kind: 'success' }, startedAt: 1, finishedAt: 2 },
  ...{ outputs: { rows: 12 }, metrics: [], summary: null, versions: [], logLines: 4 },
};

test('a hint that the API cannot read costs no result', async () => {
  const taken: AttemptResult[] = [];
  const problems: string[] = [];
  const reports = new Reports({
    api: {
      report: (results, progress) => {
        if (!reportRequest.safeParse({ ...proof, results, progress }).success)
          return Promise.reject(new SluiceError('bad_request', 'The request is not as expected.'));
        taken.push(...results);
        return Promise.resolve(results.map(({ attemptId }) => attemptId));
      },
    },
    clock: new FakeClock(0),
    problem: (what) => problems.push(what),
    onRefused: () => undefined,
  });
  reports.hint({ attemptId: '8', done: Number.NaN, total: 1, label: '' });
  reports.add(result);
  await reports.idle();
  expect([taken, problems]).toEqual([[result], []]);
});
