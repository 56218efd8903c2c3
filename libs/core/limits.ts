import type { CompiledTask, EnvironmentConfig } from './pipeline.ts';
import { amountText, beyond, type Resources } from './resources.ts';

type Asking = Pick<CompiledTask, 'pool' | 'slots' | 'resources'>;
type Limits = Pick<EnvironmentConfig, 'name' | 'pools' | 'resources'>;

/** Why the environment has no such pool; null: it has. */
export function missingPool({ pool }: Asking, { name, pools }: Limits): string | null {
  if (pools[pool] !== undefined) return null;
  return `its pool "${pool}" does not exist in environments/${name}.yaml; add it under \`pools:\``;
}

/** Why a task can never get what it asks for in the environment; null: it can, or nobody knows. */
export function neverFits(
  { pool, slots, resources = {} }: Asking,
  { name, pools, resources: has = {} }: Limits,
): string | null {
  const where = `environments/${name}.yaml`;
  const size = pools[pool];
  if (size !== undefined && size < slots)
    return `it asks for ${slots} slots of pool "${pool}", which has ${size} in ${where}`;
  const [short] = beyond(resources, has);
  if (short === undefined) return null;
  const [asked, there] = [amountText(short, resources[short] ?? 0), amountText(short, has[short] ?? 0)];
  return `it asks for ${asked}; all tasks together may take ${there} in ${where}`;
}

/** Why no attempt of a task can be made on a machine that has so much; null: it can. */
export function exceedsMachine(asked: Resources, has: Resources): string | null {
  const [short] = beyond(asked, has);
  if (short === undefined) return null;
  const wanted = amountText(short, asked[short] ?? 0);
  const there = amountText(short, has[short] ?? 0);
  return `it asks for ${wanted}; tasks may take ${there} where it would be executed: ask for less, or set SLUICE_WORKER_${short.toUpperCase()} there`;
}
