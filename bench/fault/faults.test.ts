import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkEffects } from './catch-up.ts';
import { FAULTS } from './faults.ts';
import type { History } from './history.ts';
import { ALL_RULES, INVARIANTS } from './invariants.ts';
import { summarize } from './series.ts';

test('the command knows every fault of the table', () => {
  const command = readFileSync(join(import.meta.dirname, '../../scripts/fault.mjs'), 'utf8');
  const listed = /const OF_CLUSTERS = \[(.*?)\]/s.exec(command)?.[1]?.match(/[\w-]+/g) ?? [];
  expect(listed.toSorted()).toEqual(Object.keys(FAULTS).toSorted());
});

test('each invariant is held by rules that there are, and each rule belongs to one', () => {
  const named = Object.values(INVARIANTS).flatMap(({ rules }) => rules);
  expect([...new Set(named)].toSorted()).toEqual(ALL_RULES.toSorted());
});

test('what tasks noted: once begun and once ended under the fence that counts, and under no other fence', () => {
  const attempt = (fence: number, state: 'success' | 'lost'): History['attempts'][number] => ({
    ...{ id: String(fence), runId: '1', taskId: 'a', mapIndex: 0, number: fence, fence, state },
    ...{ queuedAt: 0, startedAt: 0, finishedAt: 0, message: null },
  });
  const attempts = [attempt(1, 'lost'), attempt(2, 'success')];
  const good = ['start 1 a 0 1', 'start 1 a 0 2', 'end 1 a 0 2'];
  expect(checkEffects({ attempts }, good)).toEqual([]);
  expect(checkEffects({ attempts }, good.slice(0, 2))).toEqual(['effects: 0 times "end 1 a 0 2"']);
  expect(checkEffects({ attempts }, [...good, 'start 1 a 0 1'])).toEqual(['effects: 2 times "start 1 a 0 1"']);
  expect(checkEffects({ attempts }, [...good, 'end 1 a 0 3'])).toEqual(['effects: 1 times "end 1 a 0 3"']);
});

test('a series is summed up over its rounds', () => {
  const round = (figures: Record<string, number | null>[], violations: string[]) => ({
    ...{ round: 0, times: figures.length, layout: {}, seconds: 10, runs: 5, taskRuns: 20 },
    ...{ attempts: { success: 20, lost: 1 }, figures, violations },
  });
  const rounds = [round([{ foundMs: 7 }, { foundMs: null }], []), round([{ foundMs: 9 }, { foundMs: 3 }], ['effects'])];
  expect(summarize(rounds)).toEqual({
    ...{ times: 4, seconds: 20, attempts: { success: 40, lost: 2 } },
    figures: { foundMs: { count: 3, median: 7, most: 9 } },
    violations: ['round 0: effects'],
  });
});
