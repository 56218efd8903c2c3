import { describe, expect, test } from '@jest/globals';
import { columnsOf, encode, VIEWS } from '../../dags/flights/encode.ts';
import { permutationImportance } from '../../dags/flights/importance.ts';
import { fitLogistic, predict } from '../../dags/flights/logistic.ts';
import { flightExamples, lateness } from './flight-examples.ts';

describe('the logistic model', () => {
  const examples = flightExamples(6_000);
  const design = encode('day_ahead', examples);
  const model = fitLogistic(design, examples.late, 1);

  test('finds the weights that made the data, and next to nothing elsewhere', () => {
    const slopes = Object.fromEntries(model.terms.map((term, at) => [term, model.weights[at]! / model.scales[at]!]));
    expect(Math.abs(slopes['route_28d']! - 1.5)).toBeLessThan(0.15);
    expect(Math.abs(slopes['log_distance']! + 0.5)).toBeLessThan(0.15);
    expect(Math.abs(slopes['origin_28d']!)).toBeLessThan(0.15);
  });

  test('predicts the true probabilities', () => {
    const predicted = predict(model, design);
    const errors = Array.from(predicted, (p, row) => Math.abs(p - lateness(examples.columns, row)));
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.02);
  });

  test('is the same whenever it is fitted on the same flights', () => {
    expect(fitLogistic(design, examples.late, 1)).toEqual(model);
  });

  test('shrinks its weights as the penalty grows', () => {
    const size = (l2: number) =>
      fitLogistic(design, examples.late, l2).weights.reduce((sum, weight) => sum + weight ** 2, 0);
    expect(size(1)).toBeGreaterThan(size(1_000));
    expect(size(1_000)).toBeGreaterThan(size(100_000));
  });

  test('gives a column that never varies no weight', () => {
    const columns = { ...examples.columns, nation_7d: new Float64Array(examples.rows).fill(-1.4) };
    const fitted = fitLogistic(encode('day_ahead', { ...examples, columns }), examples.late, 1);
    expect(fitted.weights[fitted.terms.indexOf('nation_7d')]).toBeCloseTo(0, 9);
  });

  test('refuses flights that are encoded for another view', () => {
    expect(() => predict(model, encode('departure', examples))).toThrow('cannot judge');
  });

  test('explains itself: the column that decides most is the one whose shuffling costs most', () => {
    const importance = permutationImportance(model, 'day_ahead', examples);
    expect(importance.slice(0, 2).map(({ column }) => column)).toEqual(['route_28d', 'log_distance']);
    expect(importance.slice(2).every(({ aucLost }) => Math.abs(aucLost) < 0.005)).toBe(true);
  });
});

describe('the encoding', () => {
  test.each(VIEWS)('of view %s depends on nothing but its own columns', (view) => {
    const examples = flightExamples(50);
    const own = columnsOf(view);
    const others = Object.fromEntries(
      Object.entries(examples.columns).map(([name, values]) => [
        name,
        (own as readonly string[]).includes(name) ? values : values.map(() => Number.NaN),
      ]),
    ) as typeof examples.columns;
    const late = examples.late.map(() => Number.NaN);
    expect(encode(view, { ...examples, late, columns: others })).toEqual(encode(view, examples));
  });

  test('a day ahead, no column knows at what hour the flight will leave', () => {
    expect(columnsOf('day_ahead').filter((column) => column.includes('hour'))).toEqual([]);
  });
});
