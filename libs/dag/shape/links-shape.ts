import { z } from 'zod';
import { expecting } from './expecting.ts';
import { id, nonEmptyText, oneOrMany } from './names.ts';

/** What tasks and groups of tasks say of the order and the number of task runs. */

export const needsShape = oneOrMany(
  nonEmptyText,
  expecting('a task id, a glob such as load_*, a group, or a list of them', '[load_raw]'),
);

const matrixValues = z.union(
  [z.array(z.json({ error: 'a text, number, boolean, list or map' })), nonEmptyText],
  expecting('a list of values, or one expression that gives a list', '[0.05, 0.1]'),
);

export const matrixShape = z.record(id, matrixValues, expecting('a map from axis to list', '{ lr: [0.05, 0.1] }'));
