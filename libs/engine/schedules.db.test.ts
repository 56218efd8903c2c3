import { afterEach, describe, expect, test } from '@jest/globals';
import { World, type WorldOptions } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

async function aWorld(options: WorldOptions, ...pipelines: string[]): Promise<World> {
  world = await World.open(options);
  return world.release(...pipelines);
}

const daily = (more: string): string => `
name: daily
schedule: { cron: "0 0 * * *", start: 2026-01-01, ${more} }
tasks: { work: { run: "true" } }`;

describe('missed fires', () => {
  test('catchup: false makes the latest complete interval only', async () => {
    await aWorld({ at: '2026-01-05T12:00:00Z' }, daily('catchup: false'));
    await world.tick();
    expect(await world.runs('daily')).toEqual(['01-04T00:00 running']);
    await world.tick('2026-01-05T23:59:59Z');
    expect(await world.runs('daily')).toHaveLength(1);
    await world.tick('2026-01-06T00:00:00Z');
    expect(await world.runs('daily')).toEqual(['01-04T00:00 running', '01-05T00:00 running']);
  });

  test('catchup: true makes every interval since the start, oldest first, and none twice', async () => {
    await aWorld({ at: '2026-01-04T12:00:00Z' }, daily('catchup: true'));
    await world.tick();
    await world.tick();
    expect(await world.runs('daily')).toEqual(['01-01T00:00 running', '01-02T00:00 running', '01-03T00:00 running']);
  });

  test('catchup: { max_age } makes nothing older than that; newest_first runs the newest first', async () => {
    const bounded = `${daily('catchup: { max_age: 2d, order: newest_first }')}\nmax_active_runs: 1`;
    await aWorld({ at: '2026-01-10T00:00:00Z' }, bounded);
    await world.tick();
    expect([...(await world.runs('daily'))].sort()).toEqual([
      '01-07T00:00 queued',
      '01-08T00:00 queued',
      '01-09T00:00 running',
    ]);
  });

  test('a backlog of 1,200 intervals is created bit by bit, completely', async () => {
    const minutely = `name: daily\nschedule: { cron: "* * * * *", start: 2026-01-01, catchup: true }\ntasks: { a: { run: "true" } }`;
    await aWorld({ at: '2026-01-01T20:00:00Z' }, minutely);
    await world.tick();
    expect(await world.runs('daily')).toHaveLength(500);
    for (let look = 0; look < 3; look++) await world.tick();
    expect(await world.runs('daily')).toHaveLength(1200);
  });

  test('schedule.end is inclusive on the start of the interval', async () => {
    await aWorld({ at: '2026-01-20T00:00:00Z' }, daily('end: 2026-01-02, catchup: true'));
    await world.tick();
    expect(await world.runs('daily')).toEqual(['01-01T00:00 running', '01-02T00:00 running']);
  });

  test('a paused pipeline fires nothing and holds its queued runs; unpaused it makes the latest interval', async () => {
    await aWorld({ at: '2026-01-02T01:00:00Z' }, `${daily('catchup: false')}\nmax_active_runs: 1`);
    await world.tick();
    await world.tick('2026-01-03T00:00:00Z');
    expect(await world.runs('daily')).toEqual(['01-01T00:00 running', '01-02T00:00 queued']);
    await world.commands.setPaused('dev', 'daily', true, 'a person');
    await world.endAll();
    await world.tick('2026-01-06T00:00:00Z');
    expect(await world.runs('daily')).toEqual(['01-01T00:00 success', '01-02T00:00 queued']);
    await world.run('daily');
    expect(await world.runs('daily')).toContain('manual running');
    await world.commands.setPaused('dev', 'daily', false, 'a person');
    await world.tick('2026-01-06T00:00:02Z');
    await world.endAll();
    expect(await world.runs('daily')).toEqual([
      '01-01T00:00 success',
      '01-02T00:00 skipped', // superseded
      'manual success',
      '01-05T00:00 success',
    ]);
  });
});

describe('run: at_start, jitter, lists', () => {
  const work = `tasks: { work: { run: "true" } }`;
  const created = async (): Promise<string[]> =>
    (
      await world.db.query<{ line: string }[]>(
        `select to_char(interval_start at time zone 'UTC', 'MM-DD HH24:MI') || ' ' || to_char(interval_end at time zone 'UTC', 'MM-DD HH24:MI')
                || ' ' || why as line
         from run order by id`,
      )
    ).map((row) => row.line);

  test('at_start: a run is created when its interval begins, late ones say so, and at_end goes on after it', async () => {
    await aWorld({ at: '2026-01-03T00:00:00Z' }, daily('run: at_start'));
    await world.tick();
    await world.tick('2026-01-03T23:59:59Z');
    await world.tick('2026-01-05T12:00:00Z');
    await world.release(daily('run: at_end'));
    await world.tick('2026-01-06T00:00:00Z');
    await world.tick('2026-01-07T00:00:00Z');
    expect(await created()).toEqual([
      '01-03 00:00 01-04 00:00 Scheduled: its interval began at 2026-01-03T00:00:00.000Z.',
      '01-05 00:00 01-06 00:00 Scheduled: its interval began at 2026-01-05T00:00:00.000Z; caught up later.',
      '01-06 00:00 01-07 00:00 Scheduled: its interval ended at 2026-01-07T00:00:00.000Z.',
    ]);
  });

  test('jitter: the share of a pipeline is always the same, and its intervals are those of the cron', async () => {
    await aWorld({ at: '2026-01-02T00:00:00Z' }, daily('jitter: 1h'));
    await world.tick();
    expect(await created()).toEqual([]);
    const later = async (day: string): Promise<number> => {
      const before = (await created()).length;
      for (let minute = 0; minute < 60; minute++) {
        await world.tick(Date.parse(`${day}T00:00:00Z`) + minute * 60_000);
        if ((await created()).length > before) return minute;
      }
      throw new Error('nothing in an hour');
    };
    const minute = await later('2026-01-02');
    expect(minute).toBeGreaterThan(0);
    expect(await later('2026-01-03')).toBe(minute);
    expect((await created()).map((line) => line.slice(0, 23))).toEqual([
      '01-01 00:00 01-02 00:00',
      '01-02 00:00 01-03 00:00',
    ]);
  });

  test('at: every moment of the list has a run, the first about the time since start', async () => {
    const listed = `name: listed\nschedule: { at: [2026-02-01T06:00, 2026-01-10], start: 2026-01-05, catchup: true }\n${work}`;
    await aWorld({ at: '2026-03-01T00:00:00Z' }, listed);
    await world.tick();
    await world.tick('2026-04-01T00:00:00Z');
    expect((await created()).map((line) => line.slice(0, 23))).toEqual([
      '01-05 00:00 01-10 00:00',
      '01-10 00:00 02-01 06:00',
    ]);
  });

  test('several crons: fires that coincide are one', async () => {
    const both = `name: both\nschedule: { cron: ["0 */12 * * *", "0 0 * * *", "0 18 * * *"], start: 2026-01-01, catchup: true }\n${work}`;
    await aWorld({ at: '2026-01-02T00:00:00Z' }, both);
    await world.tick();
    expect((await created()).map((line) => line.slice(0, 23))).toEqual([
      '01-01 00:00 01-01 12:00',
      '01-01 12:00 01-01 18:00',
      '01-01 18:00 01-02 00:00',
    ]);
  });
});

describe('unpausing follows catchup', () => {
  test.each([
    ['catchup: false', ['01-01T00:00', '01-05T00:00']],
    ['catchup: true', ['01-01T00:00', '01-02T00:00', '01-03T00:00', '01-04T00:00', '01-05T00:00']],
    ['catchup: { max_age: 2d }', ['01-01T00:00', '01-04T00:00', '01-05T00:00']],
    ['catchup: false, run: at_start', ['01-02T00:00', '01-06T00:00']],
    ['catchup: true, run: at_start', ['01-02T00:00', '01-03T00:00', '01-04T00:00', '01-05T00:00', '01-06T00:00']],
  ])('%s', async (more, expected) => {
    const anchored = more.includes('at_start') ? daily(more).replace('2026-01-01', '2026-01-02') : daily(more);
    await aWorld({ at: '2026-01-02T01:00:00Z' }, anchored);
    await world.tick();
    await world.commands.setPaused('dev', 'daily', true, 'a person');
    await world.tick('2026-01-06T01:00:00Z');
    expect(await world.runs('daily')).toHaveLength(1);
    await world.commands.setPaused('dev', 'daily', false, 'a person');
    await world.tick('2026-01-06T01:00:01Z');
    await world.endAll();
    expect((await world.runs('daily')).map((line) => line.split(' ')[0])).toEqual(expected);
  });
});

describe('a changed schedule goes on from the end of the last interval', () => {
  const scheduled = (schedule: string): string =>
    `name: daily\nschedule: ${schedule}\nmax_active_runs: 100\ntasks: { work: { run: "true" } }`;
  const intervals = async (): Promise<string[]> =>
    (
      await world.db.query<{ line: string }[]>(
        `select to_char(interval_start at time zone 'UTC', 'DD HH24') || ' to ' || to_char(interval_end at time zone 'UTC', 'DD HH24') as line
         from run order by id`,
      )
    ).map((row) => row.line);
  const cron = (text: string, more = ''): string =>
    scheduled(`{ cron: "${text}", start: 2026-01-01, catchup: true${more} }`);

  test('to a finer one: nothing twice and no hole', async () => {
    await aWorld({ at: '2026-01-02T00:00:00Z' }, cron('0 0 * * *'));
    await world.tick();
    await world.release(cron('0 */12 * * *'));
    await world.tick('2026-01-03T00:00:00Z');
    expect(await intervals()).toEqual(['01 00 to 02 00', '02 00 to 02 12', '02 12 to 03 00']);
  });

  test('to a coarser one: its interval that holds the last end, though one of the old schedule began with it', async () => {
    await aWorld(
      { at: '2026-01-02T06:00:00Z' },
      cron('0 */6 * * *', ', end: 2026-01-02').replace('2026-01-01', '2026-01-02'),
    );
    await world.tick();
    await world.release(cron('0 0 * * *'));
    await world.tick('2026-01-02T12:00:00Z');
    await world.tick('2026-01-04T00:00:00Z');
    await world.tick('2026-01-04T00:00:01Z');
    expect(await intervals()).toEqual(['02 00 to 02 06', '02 00 to 03 00', '03 00 to 04 00']);
  });

  test('to another time of day: the first interval reaches back to it', async () => {
    await aWorld({ at: '2026-01-02T00:00:00Z' }, cron('0 0 * * *'));
    await world.tick();
    await world.release(cron('0 3 * * *'));
    await world.tick('2026-01-03T03:00:00Z');
    expect(await intervals()).toEqual(['01 00 to 02 00', '01 03 to 02 03', '02 03 to 03 03']);
  });

  test('without catchup: only the latest, once', async () => {
    await aWorld({ at: '2026-01-02T00:00:00Z' }, cron('0 0 * * *').replace('true }', 'false }'));
    await world.tick();
    await world.release(cron('0 * * * *').replace('true }', 'false }'));
    await world.tick('2026-01-02T05:30:00Z');
    await world.tick('2026-01-02T05:31:00Z');
    expect(await intervals()).toEqual(['01 00 to 02 00', '02 04 to 02 05']);
  });

  test('from manual: it is activated by the change and makes up for nothing before', async () => {
    await aWorld({}, scheduled('manual'));
    await world.tick();
    await world.db.query(`update schedule set activated_at = now() - interval '30 days'`);
    await world.release(scheduled('{ cron: "0 0 * * *", catchup: true }'));
    await world.tick();
    await world.tick(Date.now() + 1_000);
    expect(await world.runs('daily')).toEqual([]);
    await world.tick(Date.now() + 86_400_000);
    expect(await world.runs('daily')).toHaveLength(1);
  });
});

test('thousands of pipelines at midnight are created in one tick, each run once', async () => {
  const midnight = Array.from(
    { length: 2_500 },
    (_, index) =>
      `name: p${index}\nschedule: { cron: "0 0 * * *", start: 2026-01-01 }\ntasks: { work: { run: "true" } }`,
  );
  await aWorld({ at: '2026-01-01T12:00:00Z' }, ...midnight);
  await world.tick();
  await world.tick('2026-01-01T12:00:01Z');
  const count = async (): Promise<number> =>
    (await world.db.query<{ count: number }[]>(`select count(*)::int from run`))[0]!.count;
  expect(await count()).toBe(0);
  const seen: number[] = [];
  for (let second = 0; second < 2; second++) {
    await world.tick(`2026-01-02T00:00:0${second}Z`);
    seen.push(await count());
  }
  expect(seen).toEqual([2_500, 2_500]);
  expect(world.problems).toEqual([]);
});

describe('a fire that meets max_active_runs', () => {
  const hourly = (overlap: string, catchup = false): string => `
name: hourly
schedule: { cron: "0 * * * *", start: 2026-01-01, catchup: ${catchup} }
max_active_runs: 1
overlap: ${overlap}
tasks: { work: { run: "true" } }`;

  test('queue: one waits; a newer one supersedes it', async () => {
    await aWorld({ at: '2026-01-01T01:00:00Z' }, hourly('queue'));
    await world.tick();
    await world.tick('2026-01-01T02:00:00Z');
    await world.tick('2026-01-01T03:00:00Z');
    expect(await world.runs('hourly')).toEqual(['01-01T00:00 running', '01-01T01:00 skipped', '01-01T02:00 queued']);
    await world.endAll();
    expect(await world.runs('hourly')).toEqual(['01-01T00:00 success', '01-01T01:00 skipped', '01-01T02:00 success']);
  });

  test('queue with catchup: every interval runs, one at a time, oldest first', async () => {
    await aWorld({ at: '2026-01-01T03:00:00Z' }, hourly('queue', true));
    await world.tick();
    expect(await world.runs('hourly')).toEqual(['01-01T00:00 running', '01-01T01:00 queued', '01-01T02:00 queued']);
    await world.end('work');
    expect(await world.runs('hourly')).toEqual(['01-01T00:00 success', '01-01T01:00 running', '01-01T02:00 queued']);
  });

  test('skip: the fire is a row with its reason', async () => {
    await aWorld({ at: '2026-01-01T01:00:00Z' }, hourly('skip'));
    await world.tick();
    await world.tick('2026-01-01T02:00:00Z');
    expect(await world.runs('hourly')).toEqual(['01-01T00:00 running', '01-01T01:00 skipped']);
    const [skipped] = await world.db.query<{ reason: string }[]>(`select reason from run where state = 'skipped'`);
    expect(skipped?.reason).toBe('overlap: skip; 1 runs were active, max_active_runs is 1');
    await world.endAll();
    await world.tick('2026-01-01T03:00:00Z');
    expect((await world.runs('hourly')).at(-1)).toBe('01-01T02:00 running');
  });

  test('cancel_running: the running one gives way', async () => {
    await aWorld({ at: '2026-01-01T01:00:00Z' }, hourly('cancel_running'));
    await world.tick();
    await world.tick('2026-01-01T02:00:00Z');
    expect(world.executor.cancelled).toEqual(['work: the run was cancelled']);
    expect(await world.runs('hourly')).toEqual(['01-01T00:00 cancelled', '01-01T01:00 running']);
  });

  test('cancel_running cancels only as many as stand in the way, the oldest first', async () => {
    await aWorld({ at: '2026-01-01T01:00:00Z' }, hourly('cancel_running').replace('runs: 1', 'runs: 2'));
    for (const hour of ['01', '02', '03']) await world.tick(`2026-01-01T${hour}:00:00Z`);
    expect(await world.runs('hourly')).toEqual(['01-01T00:00 cancelled', '01-01T01:00 running', '01-01T02:00 running']);
  });

  test.each(['queue', 'cancel_running'])(
    '%s: a crash between creating the run and noting it loses nothing',
    async (overlap) => {
      await aWorld({ at: '2026-01-01T01:00:00Z' }, hourly(overlap));
      await world.tick();
      const watermark = `select last_end as at from schedule where pipeline = 'hourly'`;
      const [before] = await world.db.query<{ at: string }[]>(watermark);
      await world.tick('2026-01-01T02:00:00Z');
      const states = await world.runs('hourly');
      // As the crash would have left it; another process looks again.
      await world.db.query(`update schedule set last_end = $1 where pipeline = 'hourly'`, [before?.at]);
      const other = await world.process();
      await other.scheduler.tick();
      await world.settle();
      expect(await world.runs('hourly')).toEqual(states);
      expect(states.at(-1)).toMatch(overlap === 'queue' ? /queued/ : /running/);
    },
  );
});

test('max_active_runs bounds what runs at once, whoever started it', async () => {
  await aWorld({ at: '2026-01-04T12:00:00Z' }, `${daily('catchup: true')}\nmax_active_runs: 2`);
  await world.run('daily');
  await world.tick();
  const count = async (state: string) => (await world.runs('daily')).filter((run) => run.endsWith(state)).length;
  expect([await count('running'), await count('queued')]).toEqual([2, 2]);
  await world.end('work');
  expect([await count('running'), await count('queued')]).toEqual([2, 1]);
});

describe('clock changes (Europe/Berlin)', () => {
  const berlin = (cron: string, start: string): string => `
name: berlin
schedule: { cron: "${cron}", timezone: Europe/Berlin, start: ${start}, catchup: true }
tasks: { work: { run: "true" } }`;
  const ends = async (): Promise<string[]> =>
    (
      await world.db.query<{ at: string }[]>(
        `select to_char(interval_end at time zone 'UTC', 'MM-DD HH24:MI') as at from run order by interval_start`,
      )
    ).map((row) => row.at);

  test('a fixed time inside the gap moves to the first instant after it, once', async () => {
    await aWorld({ at: '2026-03-31T00:00:00Z' }, berlin('30 2 * * *', '2026-03-27'));
    await world.tick();
    expect(await ends()).toEqual(['03-28 01:30', '03-29 01:00', '03-30 00:30']);
  });

  test('a fixed time that comes twice fires at its first', async () => {
    await aWorld({ at: '2026-10-27T00:00:00Z' }, berlin('30 2 * * *', '2026-10-23'));
    await world.tick();
    expect(await ends()).toEqual(['10-24 00:30', '10-25 00:30', '10-26 01:30']);
  });

  test('an hourly cron fires in both repeated hours and not in the gap', async () => {
    await aWorld({ at: '2026-10-25T03:00:00Z' }, berlin('0 * * * *', '2026-10-25'));
    await world.tick();
    expect(await ends()).toEqual(['10-24 23:00', '10-25 00:00', '10-25 01:00', '10-25 02:00', '10-25 03:00']);
  });
});

test('two processes that look at the same instant create each interval once', async () => {
  await aWorld({ at: '2026-01-08T00:00:00Z' }, daily('catchup: true'));
  const other = await world.process();
  await Promise.all([world.scheduler.tick(), other.scheduler.tick()]);
  await world.settle();
  expect(await world.runs('daily')).toHaveLength(7);
  expect(world.problems).toEqual([]);
});

test('invalid parameters make a skipped row that says why', async () => {
  await aWorld({ at: '2026-01-02T00:00:00Z' }, `${daily('catchup: false')}\nparams: { n: { type: number } }`);
  await world.tick();
  const [run] = await world.db.query<{ reason: string }[]>(`select reason from run`);
  expect(run?.reason).toMatch(/^its parameters are not valid in dev: /);
});
