import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import pg from 'pg';
import { apiQueries } from '#store';
import { createTestDatabase } from '#testing';
import { CRASHING } from '../testing/promotion-scenarios.ts';
import { PromotionWorld } from '../testing/promotion-world.ts';
import { withDebugPoints } from './debug-points.ts';

/* kill -9 before and after each commit of a promotion; another process takes it on, and the end is the same. */

const ROOT = path.join(import.meta.dirname, '../..');
const ENDS = { good: 'verified', unfit: 'failed', broken: 'rolled_back' } as const;
let folder: string;
let driver: string;
let server: pg.Client;
let prepared: Awaited<ReturnType<typeof createTestDatabase>>;

beforeAll(async () => {
  // Bundled once: a process of its own for each point would otherwise compile the same files each time.
  folder = await mkdtemp(path.join(ROOT, 'node_modules/.sluice-kill-'));
  driver = path.join(folder, 'driver.mjs');
  await build({
    ...{ entryPoints: [path.join(ROOT, 'libs/testing/promotion-crash-driver.ts')], outfile: driver, bundle: true },
    ...{ platform: 'node', format: 'esm', target: 'node20', packages: 'external', logLevel: 'error' },
  });
  prepared = await createTestDatabase();
  const world = await aWorld(prepared.url);
  for (const release of ['first', 'good', 'unfit', 'broken']) await world.promote('dev', release);
  await world.promote('prod', 'first');
  await world.close();
  server = new pg.Client({ connectionString: process.env.SLUICE_TEST_DATABASE_URL });
  await server.connect();
});
afterAll(async () => {
  await server.end();
  await prepared.drop();
  await rm(folder, { recursive: true, force: true });
});

async function aWorld(url: string, points: string[] = []): Promise<PromotionWorld> {
  const around = (parts: PromotionWorld['parts']) => withDebugPoints(parts, (point) => void points.push(point));
  const world = await PromotionWorld.open({ url, prod: CRASHING.prod, around });
  await CRASHING.begin(world);
  return world;
}

let copies = 0;
/** A copy of a database that nobody is connected to. */
async function withCopy<T>(of: string, use: (url: string) => Promise<T>): Promise<T> {
  const url = new URL(of);
  const name = `${url.pathname.slice(1)}_${++copies}`;
  await server.query(`create database ${name} template ${url.pathname.slice(1)}`);
  url.pathname = `/${name}`;
  try {
    return await use(url.href);
  } finally {
    await server.query(`drop database ${name} with (force)`);
  }
}

/** All that a promotion leaves. Numbers are names of runs here. */
async function endOf(world: PromotionWorld): Promise<unknown> {
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
  return JSON.parse(JSON.stringify(end).replaceAll(/run \d+/gi, 'run'));
}

async function killedAt(url: string, point: string): Promise<NodeJS.Signals | null> {
  const child = spawn(process.execPath, [driver], {
    env: { PATH: process.env.PATH, NODE_ENV: 'test', DATABASE_URL: url, SLUICE_DEBUG_KILL: point },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal;
}

const walked = new Set<string>();

test.each(Object.entries(ENDS))(
  'a promotion of a release that is %s ends %s, wherever it was killed',
  (release, state) =>
    withCopy(prepared.url, async (asked) => {
      const asking = await aWorld(asked);
      const id = await asking.ask('prod', release);
      await asking.close();
      const points: string[] = [];
      const end = await withCopy(asked, async (url) => {
        const world = await aWorld(url, points);
        expect(await world.course(id)).toMatch(new RegExp(`^${state}: `));
        return closed(world);
      });
      // What promotions of all releases pass is walked with the first.
      const open = [...new Set(points)].filter((point) => !walked.has(point));
      const walk = async (): Promise<void> => {
        for (let at = open.shift(); at !== undefined; at = open.shift()) {
          walked.add(at);
          await withCopy(asked, async (url) => {
            expect({ at, signal: await killedAt(url, at ?? '') }).toEqual({ at, signal: 'SIGKILL' });
            const world = await aWorld(url);
            await world.settle();
            expect({ at, end: await closed(world) }).toEqual({ at, end });
          });
        }
      };
      // Two at once: most of the time is the start of a process.
      await Promise.all([walk(), walk()]);
    }),
  180_000,
);

async function closed(world: PromotionWorld): Promise<unknown> {
  const end = await endOf(world);
  await world.close();
  return end;
}

test('every kind of commit was among the points', () => {
  expect([...walked].filter((point) => point.startsWith('before')).sort()).toMatchInlineSnapshot(`
   [
     "before begin",
     "before gate checks passed",
     "before gate provenance passed",
     "before gate smoke failed",
     "before gate smoke passed",
     "before gate smoke pending",
     "before gate validate passed",
     "before move approval",
     "before move failed",
     "before move verified",
     "before move window",
     "before note",
     "before roll back",
     "before runs smoke",
     "before runs verification",
     "before switch",
   ]
  `);
});
