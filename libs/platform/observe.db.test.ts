import { afterEach, expect, test } from '@jest/globals';
import { FAILURE } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';
import { createLog } from './log.ts';
import { observe } from './observe.ts';
import { readGauges } from './reads/system-reads.ts';
import { SystemMetrics } from './system-metrics.ts';

let world: World;
afterEach(() => world.close());

test('a scrape shows what the engine did and what waits', async () => {
  const metrics = new SystemMetrics();
  const commits: number[] = [];
  const observer = observe(createLog({ level: 'silent' }), metrics, () => commits.push(1));
  world = await World.open({ environment: 'pools: { default: 8, one: 1 }', observer });
  metrics.collectGauges(() => readGauges(world));
  await world.release(`
name: etl
max_active_runs: 1
tasks:
  load: { run: "true", retries: { max: 1, delay: 30s, jitter: 0 } }
  each: { needs: load, run: "true", pool: one, matrix: { n: [1, 2, 3] } }`);
  await world.run('etl');
  await world.run('etl');
  await world.wait(2000);
  await world.end('load', FAILURE);
  await world.wait(30_000);
  await world.end('load');
  await world.end('each[n=1]');
  const lines = (await metrics.text()).split('\n');
  for (const line of [
    'sluice_attempts_finished_total{environment="dev",pipeline="etl",state="failed"} 1',
    'sluice_attempts_finished_total{environment="dev",pipeline="etl",state="success"} 2',
    'sluice_task_runs_finished_total{environment="dev",pipeline="etl",state="success"} 2',
    'sluice_attempt_duration_seconds_count{environment="dev",pipeline="etl"} 3',
    'sluice_task_wait_seconds_count{environment="dev"} 3',
    'sluice_runs{environment="dev",state="queued"} 1',
    'sluice_runs{environment="dev",state="running"} 1',
    'sluice_pool_slots{environment="dev",pool="one"} 1',
    'sluice_pool_slots_used{environment="dev",pool="one"} 1',
    'sluice_pool_queue_depth{environment="dev",pool="one"} 1',
    'sluice_task_runs{environment="dev",state="ready"} 1',
    'sluice_task_runs{environment="dev",state="queued"} 1',
    'sluice_engine_problems_total 0',
  ])
    expect(lines).toContain(line);
  expect(lines.some((line) => /^sluice_scheduler_lag_seconds \d/.test(line))).toBe(true);
  const committed = Number(lines.find((line) => line.startsWith('sluice_engine_commit_seconds_count'))?.split(' ')[1]);
  expect(committed).toBeGreaterThan(3);
  expect(commits.length).toBeGreaterThanOrEqual(committed);

  await world.endAll();
  const after = (await metrics.text()).split('\n');
  expect(after).toContain('sluice_runs_finished_total{environment="dev",pipeline="etl",state="success"} 2');
  expect(after).toContain('sluice_run_duration_seconds_count{environment="dev",pipeline="etl"} 2');
  expect(after).toContain('sluice_pool_slots_used{environment="dev",pool="one"} 0');
  expect(after.some((line) => line.startsWith('sluice_runs{'))).toBe(false);
});
