import pg from 'pg';
import { apiQueries } from '#store';
import { withDebugPoints } from '../platform/debug-points.ts';
import { bundleDriver, type CrashCourse } from './crash-course.ts';
import { CRASHING } from './promotion-scenarios.ts';
import { PromotionWorld } from './promotion-world.ts';
import { createTestDatabase } from './test-database.ts';

/** How a promotion of each release ends. */
export const PROMOTION_ENDS = { good: 'verified', unfit: 'failed', broken: 'rolled_back' } as const;

export interface PromotionCourses {
  /** A process takes a promotion of that release on. Throws when an undisturbed one does not end as it should. */
  of(release: keyof typeof PROMOTION_ENDS): Promise<CrashCourse & { close(): Promise<void> }>;
  close(): Promise<void>;
}

export async function openPromotionCourses(): Promise<PromotionCourses> {
  const driver = await bundleDriver('promotion-crash-driver.ts');
  const prepared = await createTestDatabase();
  const world = await aWorld(prepared.url);
  for (const release of ['first', 'good', 'unfit', 'broken']) await world.promote('dev', release);
  await world.promote('prod', 'first');
  await world.close();
  const server = new pg.Client({ connectionString: process.env.SLUICE_TEST_DATABASE_URL });
  await server.connect();
  return {
    of: async (release) => {
      const asked = await copyOf(server, prepared.url);
      const asking = await aWorld(asked.url);
      const id = await asking.ask('prod', release);
      await asking.close();
      const passed: string[] = [];
      const undisturbed = await copyOf(server, asked.url);
      const world = await aWorld(undisturbed.url, passed);
      const course = await world.course(id);
      if (!course.startsWith(`${PROMOTION_ENDS[release]}: `)) throw new Error(`the promotion of ${release}: ${course}`);
      const wanted = await closed(world);
      await undisturbed.drop();
      return {
        name: `a promotion of a release that is ${release}`,
        points: [...new Set(passed)],
        killedAt: async (point) => {
          const copy = await copyOf(server, asked.url);
          const signal = await driver.killedAt(copy.url, point);
          const second = await aWorld(copy.url);
          await second.settle();
          const found = await closed(second);
          await copy.drop();
          return { reached: signal === 'SIGKILL', found, wanted };
        },
        close: () => asked.drop(),
      };
    },
    close: async () => {
      await server.end();
      await prepared.drop();
      await driver.close();
    },
  };
}

async function aWorld(url: string, points: string[] = []): Promise<PromotionWorld> {
  const around = (parts: PromotionWorld['parts']) => withDebugPoints(parts, (point) => void points.push(point));
  const world = await PromotionWorld.open({ url, prod: CRASHING.prod, around });
  await CRASHING.begin(world);
  return world;
}

let copies = 0;
/** A copy of a database that nobody is connected to. */
async function copyOf(server: pg.Client, of: string): Promise<{ url: string; drop(): Promise<void> }> {
  const url = new URL(of);
  const name = `${url.pathname.slice(1)}_${++copies}`;
  await server.query(`create database ${name} template ${url.pathname.slice(1)}`);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => void (await server.query(`drop database ${name} with (force)`)),
  };
}

/** All that a promotion leaves. Numbers are names of runs here. */
async function closed(world: PromotionWorld): Promise<unknown> {
  const rows = (text: string): Promise<object[]> => world.db.query(text);
  const end = {
    promotions: await rows('select environment, release, state, detail from promotion order by id'),
    gates: await rows('select name, state, detail from promotion_gate order by promotion_id, position'),
    pointers: await rows('select environment, seq, release, actor from environment_pointer order by environment, seq'),
    holds: await rows('select environment, release, reason from promotion_hold order by id'),
    runs: await rows('select environment, pipeline, release, trigger, state, shadow from run order by id'),
    alerts: await world.alerts(),
    audit: await rows('select actor, action, environment, subject from audit order by seq'),
    chain: (await apiQueries.verifyAudit(world.db)).whole,
    problems: world.problems,
  };
  await world.close();
  return JSON.parse(JSON.stringify(end).replaceAll(/run \d+/gi, 'run'));
}
