import { z } from 'zod';
import { expecting } from './expecting.ts';
import { wholeNumber } from './names.ts';

const count = wholeNumber(1, 1000);

export const replicasShape = z
  .union(
    [count, z.strictObject({ min: count, max: count })],
    expecting('a number from 1 to 1000, or a map with min and max', '{ min: 2, max: 4 }'),
  )
  .describe(
    'Processes that execute an attempt together: all begin or none. `min` and `max`: with as many as there is room for.',
  );

export type ReplicasShape = z.infer<typeof replicasShape>;
