import { z } from 'zod';
import { expecting } from './expecting.ts';
import { text, wholeNumber } from './names.ts';

const cpuWords = expecting('processors from 0.001 to 10000, or thousandths such as 500m', '2');
const memoryWords = expecting('a size in bytes, Ki, Mi, Gi or Ti', '4Gi');
const gpuWords = expecting('a whole number from 0 to 1024', '1');

/** What a task asks for, or what there is of it. */
export const resourcesShape = z
  .strictObject(
    {
      cpu: z
        .union(
          [z.number(cpuWords).min(0.001, cpuWords).max(10_000, cpuWords), text.regex(/^[1-9]\d{0,6}m$/, cpuWords)],
          cpuWords,
        )
        .optional(),
      memory: z
        .union(
          [wholeNumber(1, Number.MAX_SAFE_INTEGER), text.regex(/^\d{1,6}(\.\d{1,3})?(Ki|Mi|Gi|Ti)B?$/, memoryWords)],
          memoryWords,
        )
        .optional(),
      gpu: z.number(gpuWords).int(gpuWords).min(0, gpuWords).max(1024, gpuWords).optional(),
    },
    expecting('a map with cpu, memory, gpu', '{ cpu: 2, memory: 4Gi }'),
  )
  .describe('Processors, memory and graphics processors.');

export type ResourcesShape = z.infer<typeof resourcesShape>;
