import { describe, expect, test } from '@jest/globals';
import { inPromotionOrder } from './promotion-order.ts';

describe('environments in the order in which releases go through them', () => {
  test.each<[string, Readonly<Record<string, readonly string[]>>, readonly string[]]>([
    ['each after those it takes releases from', { prod: ['test'], dev: [], test: ['dev'] }, ['dev', 'test', 'prod']],
    ['by name where nothing says more', { c: [], a: [], b: [] }, ['a', 'b', 'c']],
    ['beside each other', { us: ['test'], eu: ['test'], test: [] }, ['test', 'eu', 'us']],
    ['after the last of several', { prod: ['dev', 'test'], test: ['dev'], dev: [] }, ['dev', 'test', 'prod']],
    ['an environment that is not there counts for nothing', { a: ['gone'], b: [] }, ['a', 'b']],
    ['a circle ends', { a: ['b'], b: ['a'] }, ['b', 'a']],
    ['nothing', {}, []],
  ])('%s', (_title, from, expected) => {
    const given = Object.entries(from).map(([name, sources]) => ({ name, from: sources }));
    expect(inPromotionOrder(given).map(({ name }) => name)).toEqual(expected);
  });
});
