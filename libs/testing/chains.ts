import { SUCCESS } from './scripted-executor.ts';
import type { World } from './world.ts';

/** Pipelines that start each other in every way: a backfill makes data, data starts runs, their ends others, which wait and call. */
const PIPELINES = [
  `name: source
schedule: { cron: "@daily", start: 2026-01-01 }
paths: { raw: { at: raw, partition: ds } }
tasks: { load: { run: "true", writes: [raw] } }`,
  'name: reader\nschedule: { datasets: [source.raw] }\ntasks: { read: { run: "true" } }',
  `name: follower
schedule: { after: reader }
tasks:
  ready: { wait: { path: there/now, every: 1s } }
  c: { needs: [ready], call: called }
  done: { needs: [c], run: "true" }`,
  'name: called\nmax_active_runs: 2\ntasks: { work: { run: "true" } }',
];

/** The pipelines, a backfill of three days, and the file that the runs wait for; safe to begin again. */
export async function beginChains(world: World): Promise<void> {
  await world.release(...PIPELINES);
  world.there.add('dev/there/now').add('there/now');
  await world.tick();
  const [known] = await world.db.query<object[]>('select from backfill');
  if (known === undefined)
    await world.backfills.create(
      {
        environment: 'dev',
        pipeline: 'source',
        from: '2026-01-01',
        to: '2026-01-04',
        reprocess: 'missing',
        maxActive: 1,
      },
      'ann',
    );
}

/** Time goes on, and every attempt ends well, until no run is live and nothing is left to start one. */
export async function settleChains(world: World): Promise<void> {
  // Longer than what a dead process was looking at is left to it.
  for (let looks = 0; looks < 60; looks++) {
    await world.tick(world.clock.now().getTime() + 5_000);
    for (const assignment of [...world.executor.live.values()]) {
      const versions = assignment.writes.map(({ name, location }) => ({
        ...{ name, location, version: `v${assignment.attemptId}`, manifestHash: 'm', files: 1, bytes: 1 },
      }));
      world.executor.endAttempt(assignment, SUCCESS, { versions });
      await world.settle();
    }
    const [left] = await world.db.query<{ left: number }[]>(
      `select (select count(*) from run where state in ('queued', 'running')) + (select count(*) from unseen where not asked)
            + (select count(*) from backfill where state = 'running') as left`,
    );
    if (Number(left?.left) === 0) return;
  }
  const live = await world.db.query<object[]>(
    `select r.id, r.pipeline, r.state, r.parked, r.lease_owner, (select json_agg(json_build_array(task_id, t.state, t.reason)) from task_run t where t.run_id = r.id) as tasks
     from run r where r.state in ('queued', 'running')`,
  );
  throw new Error(`runs did not come to an end within five minutes: ${JSON.stringify([live, world.problems])}`);
}
