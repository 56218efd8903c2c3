import type { Task } from './workloads.ts';

type Body = Pick<Task, 'kind' | 'n'>;

/** One after the other. */
export function chain(length: number, body: Body): Task[] {
  return Array.from({ length }, (_, i) => ({ id: `t${i}`, needs: i === 0 ? [] : [`t${i - 1}`], ...body }));
}

/** Each task is needed by two others, as far as they reach; that of Airflow's own elastic benchmark. */
export function binaryTree(size: number, body: Body): Task[] {
  return Array.from({ length: size }, (_, i) => ({
    id: `t${i}`,
    needs: i === 0 ? [] : [`t${Math.floor((i - 1) / 2)}`],
    ...body,
  }));
}

/** One, then so many side by side, then one. */
export function diamond(width: number, body: Body): Task[] {
  const each = Array.from({ length: width }, (_, i) => ({ id: `each_${i}`, needs: ['first'], ...body }));
  return [{ id: 'first', needs: [], ...body }, ...each, { id: 'last', needs: each.map(({ id }) => id), ...body }];
}

export function fanOut(width: number, body: Body): Task[] {
  return Array.from({ length: width }, (_, i) => ({ id: `each_${i}`, needs: [], ...body }));
}

/** Layers in which every task needs all of the layer before. */
export function layers(count: number, width: number, body: Body): Task[] {
  const layer = (l: number): string[] => Array.from({ length: width }, (_, i) => `l${l}_${i}`);
  return Array.from({ length: count }, (_, l) =>
    layer(l).map((id) => ({ id, needs: l === 0 ? [] : layer(l - 1), ...body })),
  ).flat();
}

/** So many chains side by side: what a mapped group of tasks becomes. */
export function groups(length: number, width: number, body: Body): Task[] {
  return Array.from({ length }, (_, step) =>
    Array.from({ length: width }, (_, i) => ({
      id: `step${step}_${i}`,
      needs: step === 0 ? [] : [`step${step - 1}_${i}`],
      ...body,
    })),
  ).flat();
}

/** From the places of what each task needs, `;` between tasks and `,` between places. */
export function listed(needs: string, body: Body): Task[] {
  return needs.split(';').map((places, i) => ({
    id: `t${i}`,
    needs: places === '' ? [] : places.split(',').map((place) => `t${place}`),
    ...body,
  }));
}
