import { z } from 'zod';
import { expecting } from './expecting.ts';
import { needsShape, matrixShape } from './links-shape.ts';
import { text, wholeNumber } from './names.ts';

/** What tasks with the same `group:` have in common. */
export const groupShape = z.strictObject(
  {
    description: text.optional(),
    needs: needsShape.optional().describe('What runs before the tasks of the group that need none of it.'),
    matrix: matrixShape.optional().describe('Each value is a chain of its own through the tasks of the group.'),
    max_parallel: wholeNumber(1, 100_000).optional().describe('Chains that may be under way at once.'),
    max_fanout: wholeNumber(1, 100_000).optional(),
  },
  expecting('a map with needs, matrix, max_parallel, max_fanout, description', '{ matrix: { lr: [0.05, 0.1] } }'),
);

export type GroupShape = z.infer<typeof groupShape>;
