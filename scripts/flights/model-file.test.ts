import { expect, test } from '@jest/globals';
import { pickBest } from '../../dags/flights/evaluate.ts';
import { assertNotFromTheFuture, type Candidate } from '../../dags/flights/model-file.ts';

const file = {
  trained: { from: '2001-01-01', to: '2001-01-14' },
  split: {
    fit: { from: '2001-01-01', to: '2001-01-10' },
    choose: { from: '2001-01-10', to: '2001-01-14' },
    evaluate: { from: '2001-01-14', to: '2001-01-21' },
  },
};

test('a model may score the day after the last one it was judged on', () => {
  expect(() => assertNotFromTheFuture(file, '2001-01-21')).not.toThrow();
});

test('a model may not score a day that it was judged on', () => {
  expect(() => assertNotFromTheFuture(file, '2001-01-20')).toThrow(
    'The model was judged on days until 2001-01-21 and may not score flights of 2001-01-20.',
  );
});

test('a model may not score a day that it was trained on, whatever its split says', () => {
  const early = { ...file, trained: { from: '2001-01-01', to: '2001-02-01' } };
  expect(() => assertNotFromTheFuture(early, '2001-01-25')).toThrow('was trained on');
});

test('the best candidate has the lowest log loss where it was chosen; of equals, the first', () => {
  const candidate = (l2: number, logloss: number): Candidate => ({
    view: 'departure',
    l2,
    choose: { auc: 0.7, logloss },
  });
  expect(pickBest([candidate(1, 0.5), candidate(2, 0.4), candidate(3, 0.4)]).l2).toBe(2);
  expect(() => pickBest([])).toThrow('No candidate was trained.');
});
