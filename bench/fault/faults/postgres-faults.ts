import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Fault } from '../faults.ts';
import type { Scene } from '../scene.ts';

const RESUMED_MS = 3000;
const FIRE_MS = 10_000;
const IDLE_CONNECTIONS = 300;
const TERMINATED_PER_SECOND = 20;

/** Faults of Postgres. */
export const postgresFaults = {
  F5: {
    does: 'Postgres is stopped every 5 to 10 s and is down for up to 2 s',
    promises: 'no process ends; they go on within 3 s; running tasks are left alone',
    ...{ perRound: 20, days: 30, mixes: true, keepsAttempts: true, limits: { resumedMs: RESUMED_MS } },
    layout: () => ({ schedulers: 2 }),
    strike: async (scene) => {
      await scene.wait(scene.between(5000, 10_000));
      await scene.postgres.stop();
      await scene.wait(scene.between(0, 2000));
      await scene.postgres.start();
      return { resumedMs: await scene.resumed() };
    },
  },
  F6: {
    does: 'for 10 s, 20 connections to Postgres a second are terminated, and 300 idle ones ask for what is free',
    promises: 'no process ends; they go on within 3 s, as fast as before; running tasks are left alone',
    ...{ perRound: 6, days: 60, mixes: true, keepsAttempts: true, limits: { resumedMs: RESUMED_MS } },
    layout: () => ({ schedulers: 2 }),
    strike: async (scene) => {
      const before = await speed(scene);
      await underFire(scene);
      const resumedMs = await scene.resumed();
      const after = await speed(scene);
      return { resumedMs, shareOfSpeed: before && after ? Math.round((after / before) * 100) / 100 : null };
    },
  },
  F7: {
    does: 'kill -9 of Postgres, which is then started on what it had written',
    promises: 'no process ends; they go on within 3 s; what was committed is there; running tasks are left alone',
    ...{ perRound: 10, days: 20, mixes: true, keepsAttempts: true, limits: { resumedMs: RESUMED_MS } },
    layout: () => ({ schedulers: 2 }),
    strike: async (scene) => {
      await scene.wait(scene.between(1000, 4000));
      await scene.postgres.crash();
      await scene.postgres.start();
      return { resumedMs: await scene.resumed() };
    },
  },
} satisfies Record<string, Fault>;

const SPEED_MS = 5000;

/** Attempts that end within five seconds; null when the work ran out meanwhile. */
async function speed(scene: Scene): Promise<number | null> {
  await scene.wait(SPEED_MS);
  const text = `select count(*) filter (where finished_at > clock_timestamp() - interval '5 seconds')::int as ended,
                       exists (select from run where state = 'queued') as more from attempt`;
  const { rows } = await scene.cluster.db.query<{ ended: number; more: boolean }>(text);
  return rows[0]?.more ? rows[0].ended : null;
}

async function underFire(scene: Scene): Promise<void> {
  const { url } = scene.postgres;
  // Ours from before: later there may be none to be had.
  const gun = new pg.Client({ connectionString: url, application_name: 'fault-observer' });
  gun.on('error', () => undefined);
  await gun.connect();
  const idle = new Set<pg.Client>();
  const fill = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: url, application_name: 'fault-observer' });
    client.on('error', () => undefined);
    idle.add(client);
    // Refused when there is none: the next one asks again.
    await client.connect().catch(() => idle.delete(client));
  };
  const text = `
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name <> 'fault-observer' order by random() limit 2`;
  for (const until = Date.now() + scene.lasting(FIRE_MS); Date.now() < until;) {
    await gun.query(text);
    const wanted = Math.min(10, IDLE_CONNECTIONS - idle.size);
    await Promise.all(Array.from({ length: wanted }, fill));
    await delay(2000 / TERMINATED_PER_SECOND);
  }
  await Promise.all([gun, ...idle].map((client) => client.end().catch(() => undefined)));
}
