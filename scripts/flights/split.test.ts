import { describe, expect, test } from '@jest/globals';
import { addDays, daysBetween, refitDays, splitDays, type Days } from '../../dags/flights/split.ts';

const FIRST_DAY = '2001-01-01';
const WEEK_ENDS = Array.from({ length: 25 }, (_, week) => addDays('2001-01-15', 7 * week));

describe('the split of a week', () => {
  test('in full: 28 days to learn from, 7 to choose on, 7 to be judged on, 1 left alone', () => {
    expect(splitDays('2001-05-07', FIRST_DAY, 28)).toEqual({
      fit: { from: '2001-03-25', to: '2001-04-22' },
      choose: { from: '2001-04-22', to: '2001-04-29' },
      evaluate: { from: '2001-04-29', to: '2001-05-06' },
    });
  });

  test('of the first week shares the six days there are', () => {
    expect(splitDays('2001-01-15', FIRST_DAY, 28)).toEqual({
      fit: { from: '2001-01-01', to: '2001-01-05' },
      choose: { from: '2001-01-05', to: '2001-01-07' },
      evaluate: { from: '2001-01-07', to: '2001-01-14' },
    });
  });

  test.each(WEEK_ENDS)('that ends %s has parts that follow each other without a common day', (end) => {
    const { fit, choose, evaluate } = splitDays(end, FIRST_DAY, 28);
    expect(days([fit, choose, evaluate])).toEqual(days([{ from: fit.from, to: evaluate.to }]));
    expect([fit, choose].every((part) => part.from < part.to && part.to <= evaluate.from)).toBe(true);
    expect(fit.from >= FIRST_DAY).toBe(true);
  });

  test.each(WEEK_ENDS)('that ends %s leaves its last day alone, which its model may have to score', (end) => {
    expect(splitDays(end, FIRST_DAY, 28).evaluate.to).toBe(addDays(end, -1));
  });

  test.each(WEEK_ENDS)('that ends %s lets the winner learn again only from days before the evaluation', (end) => {
    const split = splitDays(end, FIRST_DAY, 28);
    const trained = refitDays(split, 28);
    expect(trained.to).toBe(split.evaluate.from);
    expect(trained.from >= split.fit.from && daysBetween(trained.from, trained.to) <= 28).toBe(true);
  });

  test('is refused when there are too few days before the evaluation', () => {
    expect(() => splitDays('2001-01-11', FIRST_DAY, 28)).toThrow(
      'Only 2 days of flights lie before the evaluation from 2001-01-03; a model needs 3.',
    );
  });
});

function days(parts: readonly Days[]): string[] {
  return parts.flatMap(({ from, to }) => Array.from({ length: daysBetween(from, to) }, (_, day) => addDays(from, day)));
}
