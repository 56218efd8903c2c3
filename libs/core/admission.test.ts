import { expect, test } from '@jest/globals';
import { admit, type Applicant } from './admission.ts';

/** `a:2x1-3` of a pool: two slots for each of one to three replicas; `+5cpu`: each asks for so much. */
function asking(text: string): Applicant & { readonly name: string } {
  const [, name = '', slots, min, max, cpu] = /^(\w+):(\d+)(?:x(\d+)(?:-(\d+))?)?(?:\+(\d+)cpu)?$/.exec(text) ?? [];
  const replicas = min === undefined ? {} : { replicas: { min: Number(min), max: Number(max ?? min) } };
  const asks = cpu === undefined ? [] : [{ of: 'cpu', amount: Number(cpu) }];
  return { name, pool: 'p', slots: Number(slots), asks, ...replicas };
}

function admitted(line: string, slots: [free: number, size: number], cpu: [free: number, size: number] = [99, 99]) {
  const room = ([free, size]: [number, number]) => ({ free, size });
  const got = admit(line.split(' ').map(asking), new Map([['p', room(slots)]]), new Map([['cpu', room(cpu)]]));
  return got.map(({ applicant, replicas }) => `${applicant.name}${replicas === 1 ? '' : ` x${replicas}`}`).join(' ');
}

test.each<[why: string, line: string, slots: [number, number], cpu: [number, number], expected: string]>([
  ['all of them', 'a:1x2', [2, 2], [9, 9], 'a x2'],
  ['none with one slot too few', 'a:1x2', [1, 2], [9, 9], ''],
  ['none with too few processors', 'a:1x2+2cpu', [4, 4], [3, 4], ''],
  ['each takes its slots', 'a:2x2 b:1', [5, 5], [9, 9], 'a x2 b'],
  ['the first of two, and nothing for the second', 'a:1x3 b:1x3', [4, 4], [9, 9], 'a x3'],
  ['nothing behind one that waits for its pool', 'a:1x3 b:1', [2, 4], [9, 9], ''],
  ['nothing of what piles up for one', 'a:1x2+2cpu b:1+1cpu c:1', [4, 4], [3, 4], 'c'],
  ['one that can never fit is passed over', 'a:1x5 b:1', [4, 4], [9, 9], 'b'],
  ['an elastic one takes what there is', 'a:1x2-4', [3, 4], [9, 9], 'a x3'],
  ['and no more than it wants', 'a:1x2-4 b:1', [6, 6], [9, 9], 'a x4 b'],
  ['and what there is of everything', 'a:1x1-4+2cpu', [4, 4], [5, 8], 'a x2'],
  ['and waits for its least', 'a:1x2-4 b:1', [1, 4], [9, 9], ''],
])('%s: %s with %j slots and %j processors', (_why, line, slots, cpu, expected) => {
  expect(admitted(line, slots, cpu)).toBe(expected);
});

test('two that each need more than half get all of it one after the other, whatever small ones come between', () => {
  const line = ['a:1x3', 'b:1x3'];
  const order: string[] = [];
  let live: { name: string; slots: number }[] = [{ name: 'small', slots: 1 }];
  for (let step = 0; order.length < 2; step++) {
    if (step > 10) throw new Error(`${line.join(', ')} never begin`);
    const free = 4 - live.reduce((sum, { slots }) => sum + slots, 0);
    const all = [...line, `s${step}:1`].map(asking);
    const got = admit(all, new Map([['p', { free, size: 4 }]]), new Map());
    // What was there before ends; small ones go on coming.
    live = got.map(({ applicant, replicas }) => ({ name: applicant.name, slots: applicant.slots * replicas }));
    for (const { applicant } of got) {
      if (applicant.replicas !== undefined) order.push(applicant.name);
      line.splice(0, line.length, ...line.filter((one) => !one.startsWith(`${applicant.name}:`)));
    }
  }
  expect(order).toEqual(['a', 'b']);
});
