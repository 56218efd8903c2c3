import { describe, expect, test } from '@jest/globals';
import { auc, logLoss } from '../../dags/flights/measures.ts';

describe('auc', () => {
  test('is 1 when every late flight is ranked above every punctual one, 0 the other way round', () => {
    expect(auc([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])).toBe(1);
    expect(auc([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1])).toBe(0);
  });

  test('counts a tie as half a win', () => {
    expect(auc([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1])).toBe(0.5);
    // Pairs (late, punctual): 0.5–0.5 half, 0.5–0.1 won, 0.9–0.5 won, 0.9–0.1 won.
    expect(auc([0.5, 0.5, 0.1, 0.9], [1, 0, 0, 1])).toBe(3.5 / 4);
  });

  test('agrees with counting all pairs', () => {
    const scores = Array.from({ length: 200 }, (_, row) => (row * 37) % 23);
    const late = scores.map((score, row) => ((score + row) % 3 === 0 ? 1 : 0));
    let won = 0;
    let pairs = 0;
    for (const [a, lateA] of late.entries())
      for (const [b, lateB] of late.entries()) {
        if (lateA !== 1 || lateB !== 0) continue;
        pairs++;
        won += scores[a]! > scores[b]! ? 1 : scores[a] === scores[b] ? 0.5 : 0;
      }
    expect(auc(scores, late)).toBeCloseTo(won / pairs, 12);
  });

  test('is not a number when all flights are late or none is', () => {
    expect(auc([0.1, 0.2], [1, 1])).toBeNaN();
    expect(auc([0.1, 0.2], [0, 0])).toBeNaN();
  });
});

describe('logLoss', () => {
  test('of a coin is ln 2', () => {
    expect(logLoss([0.5, 0.5, 0.5], [0, 1, 1])).toBeCloseTo(Math.LN2, 12);
  });

  test('stays finite when the model was certain and wrong', () => {
    expect(logLoss([0, 1], [1, 0])).toBeCloseTo(-Math.log(1e-12), 6);
  });
});
