import { beginChains, settleChains } from './chains.ts';
import { withCommitPoints } from './commit-points.ts';
import { bundleDriver, type CrashCourse } from './crash-course.ts';
import { createTestDatabase } from './test-database.ts';
import { World } from './world.ts';

const AT = '2026-01-05T12:00:00Z';
const WHOLE = {
  states: { success: true },
  intervals: ['01', '02', '03', '04'],
  backfill: 'done',
  ...{ unread: 0, unfollowed: 0, uncalled: 0, successes: 0, live: 0 },
  tasks: { success: true },
  problems: [],
};

/** A process fills a backfill, starts runs by data and by ends, looks at waits and calls. */
export async function openEngineCourse(): Promise<CrashCourse & { close(): Promise<void> }> {
  const driver = await bundleDriver('engine-crash-driver.ts');
  const points: string[] = [];
  const undisturbed = await World.open({
    at: AT,
    around: (store) => withCommitPoints(store, (point) => void points.push(point)),
  });
  const left = await settled(undisturbed);
  if (JSON.stringify(left) !== JSON.stringify(WHOLE))
    throw new Error(`undisturbed it leaves ${JSON.stringify(left)} instead of ${JSON.stringify(WHOLE)}`);
  return {
    name: 'runs',
    points,
    killedAt: async (point) => {
      const { url, drop } = await createTestDatabase();
      try {
        const signal = await driver.killedAt(url, point);
        const world = await World.open({ url, at: AT, host: 'second' });
        await world.store.retireHost('first-1');
        return { reached: signal === 'SIGKILL', found: await settled(world), wanted: WHOLE };
      } finally {
        await drop();
      }
    },
    close: () => driver.close(),
  };
}

/** Lets it go as far as it goes, and closes it. */
async function settled(world: World): Promise<object> {
  await beginChains(world);
  await settleChains(world);
  const found = { ...(await findings(world)), problems: [...world.problems] };
  await world.close();
  return found;
}

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
    successes: await one(
      `select count(*)::int from (select run_id, task_id from attempt where state = 'success' group by 1, 2 having count(*) > 1) x`,
    ),
    live: await one(`select count(*)::int from attempt where state in ('queued', 'running')`),
    tasks: await one(`select json_object_agg(state, true) from task_run`),
  };
}
