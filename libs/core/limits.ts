import type { CompiledTask, EnvironmentConfig } from './pipeline.ts';
import { ALONE, type Replicas } from './replicas.ts';
import { amountText, beyond, timesResources, type Resources } from './resources.ts';

type Asking = Pick<CompiledTask, 'pool' | 'slots' | 'resources' | 'replicas'>;
type Limits = Pick<EnvironmentConfig, 'name' | 'pools' | 'resources'>;

/** Why the environment has no such pool; null: it has. */
export function missingPool({ pool }: Asking, { name, pools }: Limits): string | null {
  if (pools[pool] !== undefined) return null;
  return `its pool "${pool}" does not exist in environments/${name}.yaml; add it under \`pools:\``;
}

/** Why a task can never get what it asks for in the environment; null: it can, or nobody knows. */
export function neverFits(
  { pool, slots, resources = {}, replicas = ALONE }: Asking,
  { name, pools, resources: has = {} }: Limits,
): string | null {
  const where = `environments/${name}.yaml`;
  const size = pools[pool];
  if (size !== undefined && size < slots * replicas.min)
    return `${whoAsks(replicas)} for ${slots * replicas.min} slots of pool "${pool}", which has ${size} in ${where}`;
  const least = timesResources(resources, replicas.min);
  const [short] = beyond(least, has);
  if (short === undefined) return null;
  const [asked, there] = [amountText(short, least[short] ?? 0), amountText(short, has[short] ?? 0)];
  return `${whoAsks(replicas)} for ${asked}; all tasks together may take ${there} in ${where}`;
}

/** Why no attempt of a task can be made on a machine that has so much; null: it can. */
export function exceedsMachine(
  { resources = {}, replicas = ALONE }: Pick<Asking, 'resources' | 'replicas'>,
  has: Resources,
): string | null {
  const least = timesResources(resources, replicas.min);
  const [short] = beyond(least, has);
  if (short === undefined) return null;
  const wanted = amountText(short, least[short] ?? 0);
  const there = amountText(short, has[short] ?? 0);
  return `${whoAsks(replicas)} for ${wanted}; tasks may take ${there} where it would be executed: ask for less, or set SLUICE_WORKER_${short.toUpperCase()} there`;
}

function whoAsks({ min }: Replicas): string {
  return min === 1 ? 'it asks' : `its ${min} replicas ask`;
}
