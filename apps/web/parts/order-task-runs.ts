/** In the order of the graph (`tasks` is topological), map indexes ascending: how people read a run. */
export function orderTaskRuns<T extends { readonly taskId: string; readonly mapIndex: number }>(
  tasks: readonly { readonly id: string }[],
  taskRuns: readonly T[],
): T[] {
  const place = new Map(tasks.map((task, index) => [task.id, index]));
  const of = (one: T) => place.get(one.taskId) ?? tasks.length;
  return [...taskRuns].sort((a, b) => of(a) - of(b) || a.mapIndex - b.mapIndex);
}
