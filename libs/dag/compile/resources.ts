import type { Resources } from '#core';
import type { ResourcesShape } from '../shape/resources-shape.ts';

const UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Processors, bytes and devices of what the shape has already checked. */
export function resourcesOf({ cpu, memory, gpu }: ResourcesShape): Resources {
  return {
    ...(cpu === undefined ? {} : { cpu: cpuOf(cpu) }),
    ...(memory === undefined ? {} : { memory: bytesOf(memory) }),
    ...(gpu === undefined ? {} : { gpu }),
  };
}

function cpuOf(cpu: string | number): number {
  return typeof cpu === 'string' ? Number(cpu.slice(0, -1)) / 1000 : Math.round(cpu * 1000) / 1000;
}

function bytesOf(memory: string | number): number {
  if (typeof memory === 'number') return memory;
  return Math.floor(Number.parseFloat(memory) * (UNITS[memory.replace(/B$/, '').at(-2) ?? ''] ?? 1));
}
