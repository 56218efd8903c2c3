import { apiQueries, type Db } from '#store';

/** What workers elsewhere execute at once, together, and what they execute now. */
export async function workersOf(db: Db): Promise<{ kind: string; capacity: number; running: number }> {
  return { kind: 'queue', ...(await apiQueries.readWorkers(db)) };
}
