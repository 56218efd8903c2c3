import { describe, expect, test } from '@jest/globals';
import {
  decideRule,
  firstOf,
  itemOf,
  TRIGGER_RULES,
  type Outcome,
  type RuleVerdict,
  type TaskState,
  type TriggerRule,
  type UpstreamCounts,
} from '#core';
import { aGraph, RunSimulator, type TaskSketch } from '../testing/simulate-run.ts';

type End = 'success' | 'failed' | 'skipped' | 'upstream_failed' | 'open';

function counts(ends: readonly End[]): UpstreamCounts {
  const of = (end: End): number => ends.filter((each) => each === end).length;
  return {
    total: ends.length,
    success: of('success'),
    failed: of('failed'),
    skipped: of('skipped'),
    upstreamFailed: of('upstream_failed'),
  };
}

// Two upstream tasks; S success, F failed (upstream_failed alike), K skipped, o open. Verdicts: r run, w wait, k skipped, u upstream_failed.
const TABLE: Record<
  TriggerRule,
  Record<'SS' | 'SF' | 'SK' | 'FF' | 'FK' | 'KK' | 'So' | 'Fo' | 'Ko' | 'oo', 'r' | 'w' | 'k' | 'u'>
> = {
  all_success: { SS: 'r', SF: 'u', SK: 'k', FF: 'u', FK: 'u', KK: 'k', So: 'w', Fo: 'u', Ko: 'k', oo: 'w' },
  all_failed: { SS: 'k', SF: 'k', SK: 'k', FF: 'r', FK: 'k', KK: 'k', So: 'k', Fo: 'w', Ko: 'k', oo: 'w' },
  all_done: { SS: 'r', SF: 'r', SK: 'r', FF: 'r', FK: 'r', KK: 'r', So: 'w', Fo: 'w', Ko: 'w', oo: 'w' },
  all_done_min_one_success: {
    SS: 'r',
    SF: 'r',
    SK: 'k',
    FF: 'u',
    FK: 'k',
    KK: 'k',
    So: 'w',
    Fo: 'w',
    Ko: 'w',
    oo: 'w',
  },
  all_skipped: { SS: 'k', SF: 'k', SK: 'k', FF: 'k', FK: 'k', KK: 'r', So: 'k', Fo: 'k', Ko: 'w', oo: 'w' },
  one_success: { SS: 'r', SF: 'r', SK: 'r', FF: 'u', FK: 'u', KK: 'k', So: 'r', Fo: 'w', Ko: 'w', oo: 'w' },
  one_failed: { SS: 'k', SF: 'r', SK: 'k', FF: 'r', FK: 'r', KK: 'k', So: 'w', Fo: 'r', Ko: 'w', oo: 'w' },
  one_done: { SS: 'r', SF: 'r', SK: 'r', FF: 'r', FK: 'r', KK: 'k', So: 'r', Fo: 'r', Ko: 'w', oo: 'w' },
  none_failed: { SS: 'r', SF: 'u', SK: 'r', FF: 'u', FK: 'u', KK: 'r', So: 'w', Fo: 'u', Ko: 'w', oo: 'w' },
  none_failed_min_one_success: {
    SS: 'r',
    SF: 'u',
    SK: 'r',
    FF: 'u',
    FK: 'u',
    KK: 'k',
    So: 'w',
    Fo: 'u',
    Ko: 'w',
    oo: 'w',
  },
  none_skipped: { SS: 'r', SF: 'r', SK: 'k', FF: 'r', FK: 'k', KK: 'k', So: 'w', Fo: 'w', Ko: 'k', oo: 'w' },
  always: { SS: 'r', SF: 'r', SK: 'r', FF: 'r', FK: 'r', KK: 'r', So: 'r', Fo: 'r', Ko: 'r', oo: 'r' },
};
const ENDS = { S: ['success'], F: ['failed', 'upstream_failed'], K: ['skipped'], o: ['open'] } as const;
const VERDICTS: Record<string, RuleVerdict> = { r: 'run', w: 'wait', k: 'skipped', u: 'upstream_failed' };

describe.each(TRIGGER_RULES)('%s', (rule) => {
  test.each(Object.entries(TABLE[rule]))('upstream %s', (pair, expected) => {
    const [first, second] = [...pair] as (keyof typeof ENDS)[];
    for (const a of ENDS[first as keyof typeof ENDS])
      for (const b of ENDS[second as keyof typeof ENDS]) {
        expect(decideRule(rule, counts([a, b]))).toBe(VERDICTS[expected]);
        expect(decideRule(rule, counts([b, a]))).toBe(VERDICTS[expected]);
      }
  });
});

test('a task without upstream tasks runs at once under the rules that make sense for it', () => {
  for (const rule of [
    'all_success',
    'all_done',
    'none_failed',
    'none_failed_min_one_success',
    'one_success',
    'none_skipped',
    'always',
  ] as const)
    expect(decideRule(rule, counts([]))).toBe('run');
});

/** How a task upstream can end, with what it counts as in the table. */
const PARENTS = { success: 'S', failed: 'F', skipped: 'K', upstream_failed: 'F', caught: 'F' } as const;
type Parent = keyof typeof PARENTS;
const OUTCOMES: Readonly<Record<Parent, Outcome>> = {
  success: { kind: 'success' },
  failed: { kind: 'failed', exitCode: 1, message: '' },
  skipped: { kind: 'skipped', message: '' },
  upstream_failed: { kind: 'success' },
  caught: { kind: 'failed', exitCode: 1, message: '' },
};
const CHILD: Record<string, TaskState> = { r: 'ready', w: 'none', k: 'skipped', u: 'upstream_failed' };

/** `first` ends before `second`: an eager rule has decided by then, and keeps to it. */
function expected(rule: TriggerRule, first: Parent, second: Parent): TaskState {
  const [a, b] = [PARENTS[first], PARENTS[second]];
  const table: Readonly<Record<string, string>> = TABLE[rule];
  const early = table[`${a}o`] ?? table[`o${a}`]!;
  return CHILD[early === 'w' ? (table[a + b] ?? table[b + a])! : early]!;
}

/** Lets the only task run that is ready for `task` end as its outcome says. */
function end(run: RunSimulator, task: string, mapIndex = 0): void {
  const row = [...run.rows.values()].find((one) => one.taskId === task && one.mapIndex === mapIndex)!;
  run.admit(row);
  run.finish(String(run.attempts.length));
}

/** What becomes of a child with that rule, before which two tasks end in this order. */
function childOfTwo(rule: TriggerRule, ends: readonly Parent[]): TaskState {
  const parents = ends.flatMap((parent, index): TaskSketch[] => [
    ...(parent === 'upstream_failed' ? [{ id: `before${index}` }] : []),
    {
      id: `task${index}`,
      caught: parent === 'caught',
      upstream: parent === 'upstream_failed' ? [`before${index}`] : [],
    },
  ]);
  const run = new RunSimulator({
    graph: aGraph([...parents, { id: 'child', when: rule, upstream: ends.map((_, index) => `task${index}`) }]),
    outcome: ({ id }) => (id.startsWith('before') ? OUTCOMES.failed : OUTCOMES[ends[Number(id.slice(4))]!]),
  });
  run.send({ kind: 'start' });
  ends.forEach((parent, index) => end(run, parent === 'upstream_failed' ? `before${index}` : `task${index}`));
  return run.state('child');
}

/** The same behind one task that is fanned out, whose task runs end in this order. */
function childOfFanOut(rule: TriggerRule, ends: readonly Parent[]): TaskState {
  const fan = { id: 'fan', mapKeys: ends.map((_, index) => `k${index}`), caught: ends.includes('caught') };
  const run = new RunSimulator({
    graph: aGraph([fan, { id: 'child', when: rule, upstream: ['fan'] }]),
    outcome: (_task, index) => OUTCOMES[ends[index]!],
  });
  run.send({ kind: 'start' });
  ends.forEach((_, index) => end(run, 'fan', index));
  return run.state('child');
}

/**
 * The same in a group of two map indexes, after two tasks of it of which `ends` say how they end for the first; for the
 * second both succeed. `beyond` says which of the two stands outside the group.
 */
function childrenInGroup(rule: TriggerRule, ends: readonly Parent[], beyond: number | null): readonly TaskState[] {
  const group = (index: number): string | null => (index === beyond ? null : 'g');
  const parents = ends.flatMap((parent, index): TaskSketch[] => [
    { id: `before${index}`, group: group(index) },
    { id: `task${index}`, group: group(index), caught: parent === 'caught', upstream: [`before${index}`] },
  ]);
  const upstream = ends.map((_, index) => `task${index}`);
  const run = new RunSimulator({
    graph: aGraph([...parents, { id: 'child', group: 'g', when: rule, upstream }], 0, [
      { id: 'g', mapKeys: ['k0', 'k1'] },
    ]),
    outcome: ({ id }, mapIndex) => {
      const parent = mapIndex === 0 ? ends[Number(id.at(-1))]! : 'success';
      if (id.startsWith('before')) return parent === 'upstream_failed' ? OUTCOMES.failed : OUTCOMES.success;
      return OUTCOMES[parent];
    },
  });
  run.send({ kind: 'start' });
  for (const [index, parent] of ends.entries())
    for (const mapIndex of index === beyond ? [0] : [0, 1]) {
      end(run, `before${index}`, mapIndex);
      if (mapIndex === 1 || parent !== 'upstream_failed') end(run, `task${index}`, mapIndex);
    }
  return [run.state('child', 0), run.state('child', 1)];
}

/**
 * The same in a group of two items, after one task of it that fans out again into as many as `ends`, which say how they
 * end for the first item; for the second all succeed. The child is one task run for each item, or fans out itself.
 */
function childrenOfInner(rule: TriggerRule, ends: readonly Parent[], fansOut: boolean): readonly TaskState[] {
  const inner = { mapKeys: ends.map((_, index) => `i${index}`) };
  const child = { id: 'child', group: 'g', when: rule, upstream: ['fan'], inner: fansOut ? inner : null };
  const graph = aGraph([{ id: 'fan', group: 'g', inner, caught: ends.includes('caught') }, child], 0, [
    { id: 'g', mapKeys: ['k0', 'k1'] },
  ]);
  const fan = graph.tasks[0]!;
  const run = new RunSimulator({
    graph,
    outcome: (_task, mapIndex) => OUTCOMES[itemOf(fan, mapIndex) === 0 ? ends[mapIndex]! : 'success'],
  });
  run.send({ kind: 'start' });
  for (const item of [0, 1]) ends.forEach((_, index) => end(run, 'fan', firstOf(fan, item) + index));
  return [0, 1].map((item) => run.state('child', firstOf(graph.tasks[1]!, item)));
}

test.each(TRIGGER_RULES)('in a group %s counts the task runs of a fan-out within it, item by item', (rule) => {
  const parents = (Object.keys(PARENTS) as Parent[]).filter((parent) => parent !== 'upstream_failed');
  const of = (first: Parent, second: Parent): TaskState =>
    rule === 'always' ? 'ready' : expected(rule, first, second);
  for (const first of parents)
    for (const second of parents)
      for (const fansOut of [false, true]) {
        const about = { first, second, fansOut };
        expect({ ...about, children: childrenOfInner(rule, [first, second], fansOut) }).toEqual({
          ...about,
          children: [of(first, second), of('success', 'success')],
        });
      }
});

test.each(TRIGGER_RULES)('in a group %s decides for each map index by itself', (rule) => {
  const parents = Object.keys(PARENTS) as Parent[];
  const of = (first: Parent, second: Parent): TaskState =>
    rule === 'always' ? 'ready' : expected(rule, first, second);
  for (const first of parents)
    for (const second of parents) {
      const about = { first, second };
      expect({ ...about, children: childrenInGroup(rule, [first, second], null) }).toEqual({
        ...about,
        children: [of(first, second), of('success', 'success')],
      });
      // What stands outside the group counts for each of them.
      expect({ ...about, children: childrenInGroup(rule, [first, second], 0) }).toEqual({
        ...about,
        children: [of(first, second), of(first, 'success')],
      });
    }
});

test.each(TRIGGER_RULES)(
  'a run keeps to the table of %s, whatever ends first, and counts a fan-out by task run',
  (rule) => {
    const parents = Object.keys(PARENTS) as Parent[];
    for (const first of parents)
      for (const second of parents) {
        // A rule that waits for nothing starts before anything has ended.
        const state = rule === 'always' ? 'ready' : expected(rule, first, second);
        expect({ first, second, state: childOfTwo(rule, [first, second]) }).toEqual({ first, second, state });
        // Nothing ends a single task run of a fan-out as upstream_failed.
        if (first === 'upstream_failed' || second === 'upstream_failed') continue;
        expect({ first, second, state: childOfFanOut(rule, [first, second]) }).toEqual({ first, second, state });
      }
  },
);
