import { isAmong } from '#core';
import type { SystemStatus } from '#contracts';
import { apiQueries } from '#store';
import type { Gauges } from '../system-metrics.ts';
import type { ReadContext } from './read-context.ts';

/** `among`: pools and runs of these environments only; null: of all. */
export async function readSystem({ db, process }: ReadContext, among: readonly string[] | null): Promise<SystemStatus> {
  const { version, startedAt } = process;
  const [allPools, allRuns, schedulerLagMs, oldestTransaction, executor] = await Promise.all([
    apiQueries.readPools(db),
    apiQueries.countLiveRuns(db),
    apiQueries.readSchedulerLag(db),
    apiQueries.readOldestTransaction(db),
    process.executor(),
  ]);
  const isShown = ({ environment }: { environment: string }) => isAmong(among, environment);
  const pools = allPools.filter(isShown);
  const runs = allRuns.filter(isShown);
  const byState: Record<string, number> = {};
  for (const { state, count } of runs) byState[state] = (byState[state] ?? 0) + count;
  const about = { version, startedAt: startedAt.toISOString(), schedulerLagMs, oldestTransaction };
  return { ...about, pools, executor, runs: byState };
}

/** What Prometheus is told at a scrape. */
export async function readGauges({ db }: Pick<ReadContext, 'db'>): Promise<Gauges> {
  const [pools, runs, taskRuns, schedulerLagMs, oldest, alertsPending] = await Promise.all([
    apiQueries.readPools(db),
    apiQueries.countLiveRuns(db),
    apiQueries.countLiveTaskRuns(db),
    apiQueries.readSchedulerLag(db),
    apiQueries.readOldestTransaction(db),
    apiQueries.countPendingAlerts(db),
  ]);
  return { pools, runs, taskRuns, schedulerLagMs, oldestTransactionMs: oldest?.openMs ?? 0, alertsPending };
}
