import { expect, test } from '@jest/globals';
import { SystemMetrics, type Gauges } from './system-metrics.ts';

test('counters and durations add up, gauges are read once per scrape and forget what is gone', async () => {
  const metrics = new SystemMetrics();
  let reads = 0;
  let now: Gauges = {
    schedulerLagMs: 1500,
    oldestTransactionMs: 2500,
    taskRuns: [{ environment: 'dev', state: 'ready', count: 4 }],
    runs: [{ environment: 'dev', state: 'running', count: 2 }],
    pools: [{ environment: 'dev', name: 'default', slots: 8, used: 3, ready: 4 }],
    alertsPending: 1,
  };
  metrics.collectGauges(async () => {
    reads += 1;
    return now;
  });
  const about = { environment: 'dev', pipeline: 'p' };
  metrics.runFinished({ ...about, state: 'success', durationMs: 2000 });
  metrics.taskRunFinished({ ...about, state: 'failed' });
  metrics.attemptFinished({ ...about, state: 'success', waitMs: 4, durationMs: 90 });
  metrics.alertTried('slack', 'sent');
  metrics.committed(3);
  const text = await metrics.text();
  for (const line of [
    'sluice_runs_finished_total{environment="dev",pipeline="p",state="success"} 1',
    'sluice_run_duration_seconds_bucket{le="2.5",environment="dev",pipeline="p"} 1',
    'sluice_task_runs_finished_total{environment="dev",pipeline="p",state="failed"} 1',
    'sluice_task_wait_seconds_bucket{le="0.005",environment="dev"} 1',
    'sluice_attempt_duration_seconds_bucket{le="0.1",environment="dev",pipeline="p"} 1',
    'sluice_alert_deliveries_total{kind="slack",result="sent"} 1',
    'sluice_engine_commit_seconds_count 1',
    'sluice_scheduler_lag_seconds 1.5',
    'sluice_task_runs{environment="dev",state="ready"} 4',
    'sluice_runs{environment="dev",state="running"} 2',
    'sluice_pool_slots{environment="dev",pool="default"} 8',
    'sluice_pool_slots_used{environment="dev",pool="default"} 3',
    'sluice_pool_queue_depth{environment="dev",pool="default"} 4',
    'sluice_attempts_finished_total{environment="dev",pipeline="p",state="success"} 1',
    'sluice_alerts_pending 1',
  ])
    expect(text.split('\n')).toContain(line);
  expect(reads).toBe(1);

  now = { ...now, taskRuns: [] };
  expect(await metrics.text()).not.toContain('sluice_task_runs{');
});
