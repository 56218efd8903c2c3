import { availableParallelism, totalmem } from 'node:os';
import type { Resources } from '#core';
import { resourcesOf } from '#dag';

interface Reader {
  matching(name: string, pattern: RegExp, expected: string): string | null;
  integer(name: string, least: number, most: number): number | null;
}

/** What attempts together may take of this machine, or of the part of it that this process may use. */
export function readWorkerResources(read: Reader): Required<Resources> {
  const cpu = read.matching('SLUICE_WORKER_CPU', /^\d{1,5}(\.\d{1,3})?$/, 'a number of processors, such as 4 or 1.5');
  const memory = read.matching(
    'SLUICE_WORKER_MEMORY',
    /^\d{1,6}(\.\d{1,3})?(Ki|Mi|Gi|Ti)B?$/,
    'a size in Ki, Mi, Gi or Ti, such as 16Gi',
  );
  const written = resourcesOf({
    ...(cpu === null ? {} : { cpu: Number(cpu) }),
    ...(memory === null ? {} : { memory }),
  });
  const gpu = read.integer('SLUICE_WORKER_GPU', 0, 1024) ?? 0;
  return { cpu: availableParallelism(), memory: memoryOfMachine(), ...written, gpu };
}

/** A container may have less than its machine. */
function memoryOfMachine(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
