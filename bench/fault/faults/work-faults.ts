import { until } from '../../../apps/standalone/standalone-fixture.ts';
import { noted } from '../catch-up.ts';
import type { Fault } from '../faults.ts';
import type { Scene } from '../scene.ts';
import type { ClusterProcess } from '../worker-cluster.ts';
import { checkStorm, storm, STORM } from './storm.ts';

/** What a worker gives a task that is to end (F13); it hears of it within a second and may take another one. */
const GRACE_MS = 10_000;
const MOST_GONE_MS = GRACE_MS + 2000;
const TIMEOUT_MS = 6000;
/** Seconds that only the processes of these tasks sleep. */
const SLEEP = 61_713;

/** Each does what a task should not; whatever it starts is named by how long it sleeps. */
export const STUBBORN = `
name: stubborn
defaults: { timeout: 6s }
tasks:
  ignores:
    run: |
      echo begun >> "$DATA_MARKS/stubborn-$SLUICE_RUN_ID"
      trap '' TERM INT HUP
      while :; do sleep ${SLEEP} || true; done
  forks_twice:
    run: |
      echo begun >> "$DATA_MARKS/stubborn-$SLUICE_RUN_ID"
      (setsid bash -c 'trap "" TERM; sleep ${SLEEP}' &)
      sleep 0.1
  grandchildren:
    run: |
      echo begun >> "$DATA_MARKS/stubborn-$SLUICE_RUN_ID"
      bash -c 'bash -c "sleep ${SLEEP}" & bash -c "trap \\"\\" TERM; sleep ${SLEEP}" & wait' &
      disown
      sleep 0.1
  floods:
    run: |
      echo begun >> "$DATA_MARKS/stubborn-$SLUICE_RUN_ID"
      yes 'the same line again and again' | head -c 400000000
      sleep ${SLEEP}
  closes:
    run: |
      echo begun >> "$DATA_MARKS/stubborn-$SLUICE_RUN_ID"
      exec 0<&- 1>&- 2>&-
      trap '' TERM
      sleep ${SLEEP}
`;
const STUBBORN_ENDS = {
  closes: 'timed_out',
  floods: 'timed_out',
  forks_twice: 'success',
  grandchildren: 'success',
  ignores: 'timed_out',
};

/** As many tasks as there is room for; each fits the time that a worker has to drain. */
const many = (count: number): string => `
name: many
tasks:
  one:
    pool: wide
    matrix: { n: [${Array.from({ length: count }, (_, index) => index).join(', ')}] }
    run: |
      ${noted('start')}
      sleep 6
      ${noted('end')}
`;
const AT_ONCE = 60;
const DRAINED = { workers: 3, each: AT_ONCE / 3 };

/** Faults of tasks, of people and of those who stop processes in order. */
export const workFaults = {
  F13: {
    does: 'tasks ignore SIGTERM, fork twice, leave grandchildren, flood stdout and close it; they time out, are cancelled, or their worker is killed',
    promises: 'every process of theirs is gone within a second of the grace that it is given; none is left',
    ...{ perRound: 6, days: 8, mixes: true, limits: { goneMs: MOST_GONE_MS } },
    layout: () => ({ files: { 'dags/stubborn.yaml': STUBBORN } }),
    strike: async (scene, index) => {
      const { cluster } = scene;
      const { id } = await cluster.trigger('stubborn');
      const all = () => cluster.project.processes().filter(({ command }) => command === `sleep ${SLEEP}`);
      const begun = () => cluster.lines(`stubborn-${id}`).length;
      await until('the stubborn tasks', () => begun() >= Object.keys(STUBBORN_ENDS).length);
      // Each in turn: they run out of time, somebody cancels them, their workers die.
      if (index % 3 === 1) await scene.patiently(() => cluster.server.client.cancel(id));
      if (index % 3 === 2)
        for (const worker of [...scene.workers]) {
          await scene.kill(worker);
          await scene.replace(scene.workers, worker, () => cluster.worker());
        }
      const since = Date.now();
      await until('the end of their processes', () => all().length === 0, 60_000).catch(() =>
        scene.problems.push(`${all().length} processes of stubborn tasks are left`),
      );
      const took = Date.now() - since;
      const state = await scene.endOf(id);
      if (index % 3 === 0) {
        const ends = Object.fromEntries((await cluster.attempts(id)).map(({ task, state }) => [task, state]));
        if (JSON.stringify(ends) !== JSON.stringify(STUBBORN_ENDS))
          scene.problems.push(`stubborn tasks ended as ${JSON.stringify(ends)}`);
      } else if (index % 3 === 1 && state !== 'cancelled') scene.problems.push(`a cancelled run ended as ${state}`);
      // Beyond the time-out, which is theirs; killed workers' tasks are tried again and end with their next try.
      return { goneMs: index % 3 === 2 ? null : Math.max(0, took - (index % 3 === 0 ? TIMEOUT_MS : 0)) };
    },
  },
  F17: {
    does: 'for 8 s, 20 clients trigger, cancel, rerun and mark runs, and pause and resume their pipeline',
    promises: 'every call that is accepted takes effect, every other one is answered with 409',
    ...{ perRound: 4, days: 25, mixes: true, limits: { unanswered: 0 } },
    layout: () => ({ schedulers: 2, files: { 'dags/storm.yaml': STORM } }),
    strike: storm,
    check: (scene) => checkStorm(scene),
  },
  F19: {
    does: 'SIGTERM for a worker with everything that it can hold under way, and every second time for all of them',
    promises: 'what fits the grace ends and is not repeated; nothing more is claimed',
    ...{ perRound: 4, days: 10, keepsAttempts: true },
    layout: () => ({
      ...{ schedulers: 2, workers: DRAINED.workers, concurrency: DRAINED.each },
      files: { 'dags/many.yaml': many(AT_ONCE * 2) },
    }),
    strike: async (scene, index) => {
      const { cluster } = scene;
      const { id } = await cluster.trigger('many');
      const running = `select count(*)::int as count from attempt where run_id = $1 and state = 'running'`;
      const count = async () => (await cluster.db.query<{ count: number }>(running, [id])).rows[0]?.count ?? 0;
      // The catch-up takes some of the places.
      await until('many tasks at once', async () => (await count()) >= AT_ONCE * 0.6, 60_000);
      const stopped = index % 2 === 0 ? [scene.pick(scene.workers)] : [...scene.workers];
      const under = await count();
      await Promise.all(stopped.map((worker) => drain(scene, worker)));
      await cluster.server.endOf(id, 120_000);
      const starts = cluster.lines('effects').filter((line) => line.startsWith(`start ${id} `));
      const again = starts.length - new Set(starts.map((line) => line.split(' ').slice(0, 4).join(' '))).size;
      if (again > 0) scene.problems.push(`after a drain ${again} tasks were begun again`);
      return { underWay: under };
    },
  },
} satisfies Record<string, Fault>;

/** Stops a worker in order, starts another, and notes what the old one claimed after it was told. */
async function drain(scene: Scene, worker: ClusterProcess): Promise<void> {
  const { db } = scene.cluster;
  const { rows } = await db.query<{ id: string }>(`select id from process where pid = $1 and kind = 'worker'`, [
    worker.pid,
  ]);
  const [known] = rows;
  if (known === undefined) throw new Error(`worker ${worker.pid} is not signed in`);
  worker.signal('SIGTERM');
  // What it had asked for when it was told may still be given to it.
  await until('it to hear', () => worker.text.includes('Stopping'));
  await scene.wait(200);
  const { rows: told } = await db.query<{ now: string }>('select clock_timestamp()::text as now');
  await scene.replace(scene.workers, worker, () => scene.cluster.worker());
  const code = await worker.ended;
  if (code !== 0) scene.problems.push(`a worker that was stopped ended with ${code}: ${worker.text.slice(-300)}`);
  const late = await db.query(`select 1 from attempt where worker = $1 and started_at > $2::timestamptz`, [
    known.id,
    told[0]?.now,
  ]);
  if (late.rowCount !== 0) scene.problems.push(`a worker claimed ${late.rowCount} attempts after it was stopped`);
}
