import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { beginChains, settleChains } from '../testing/chains.ts';
import { withCommitPoints } from '../testing/commit-points.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { World } from '../testing/world.ts';

/* kill -9 of the process that fills a backfill, starts runs by data and by ends, looks at waits and calls; another goes on. */

const ROOT = path.join(import.meta.dirname, '../..');
const AT = '2026-01-05T12:00:00Z';
/** How many of the points are walked: evenly over the course, before and after commits in turn. */
const WALKED = 6;
let folder: string;
let driver: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(ROOT, 'node_modules/.sluice-kill-'));
  driver = path.join(folder, 'driver.mjs');
  await build({
    ...{ entryPoints: [path.join(ROOT, 'libs/testing/engine-crash-driver.ts')], outfile: driver, bundle: true },
    ...{ platform: 'node', format: 'esm', target: 'node20', packages: 'external', logLevel: 'error' },
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What must hold wherever it died: nothing lost, nothing doubled. */
async function findings(world: World): Promise<object> {
  const one = async (text: string): Promise<unknown> =>
    Object.values((await world.db.query<object[]>(text))[0] ?? {})[0];
  return {
    states: await one(`select json_object_agg(state, true) from run`),
    intervals: await one(
      `select json_agg(to_char(interval_start at time zone 'UTC', 'DD') order by interval_start) from run where pipeline = 'source'`,
    ),
    backfill: await one('select state from backfill'),
    // Each version started exactly one run, which may have several.
    unread: await one(
      `select count(*)::int from run s where pipeline = 'source' and 1 <> (select count(*) from run_cause where cause_id = s.id and path = 'raw')`,
    ),
    unfollowed: await one(
      `select count(*)::int from run s where pipeline = 'reader' and 1 <> (select count(*) from run_cause where cause_id = s.id)`,
    ),
    uncalled: await one(
      `select count(*)::int from run s where pipeline = 'follower' and 1 <> (select count(*) from run_cause where cause_id = s.id)`,
    ),
    tasks: await one(`select json_object_agg(state, true) from task_run`),
    successes: await one(
      `select count(*)::int from (select run_id, task_id from attempt where state = 'success' group by 1, 2 having count(*) > 1) x`,
    ),
    live: await one(`select count(*)::int from attempt where state in ('queued', 'running')`),
  };
}

const WHOLE = {
  states: { success: true },
  intervals: ['01', '02', '03', '04'],
  backfill: 'done',
  ...{ unread: 0, unfollowed: 0, uncalled: 0, successes: 0, live: 0 },
  tasks: { success: true },
};

async function killedAt(url: string, point: string): Promise<NodeJS.Signals | null> {
  const child = spawn(process.execPath, [driver], {
    env: { PATH: process.env.PATH, NODE_ENV: 'test', DATABASE_URL: url, SLUICE_DEBUG_KILL: point },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal;
}

test('backfills, data, ends, waits and calls lose nothing and double nothing, wherever their process is killed', async () => {
  const points: string[] = [];
  const undisturbed = await World.open({
    at: AT,
    around: (store) => withCommitPoints(store, (point) => void points.push(point)),
  });
  await beginChains(undisturbed);
  await settleChains(undisturbed);
  expect(await findings(undisturbed)).toEqual(WHOLE);
  expect(undisturbed.problems).toEqual([]);
  await undisturbed.close();
  const chosen = Array.from(
    { length: WALKED },
    (_, index) => points[Math.floor(((index + 0.5) * points.length) / WALKED)] ?? '',
  );
  const walk = async (): Promise<void> => {
    for (let at = chosen.shift(); at !== undefined; at = chosen.shift()) {
      const { url, drop } = await createTestDatabase();
      expect({ at, signal: await killedAt(url, at) }).toEqual({ at, signal: 'SIGKILL' });
      const world = await World.open({ url, at: AT, host: 'second' });
      await world.store.retireHost('first-1');
      await beginChains(world);
      await settleChains(world);
      expect({ at, ...(await findings(world)) }).toEqual({ at, ...WHOLE });
      expect({ at, problems: world.problems }).toEqual({ at, problems: [] });
      await world.close();
      await drop();
    }
  };
  // Two at once: most of the time is the start of a process.
  await Promise.all([walk(), walk()]);
}, 120_000);
