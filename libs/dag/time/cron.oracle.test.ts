import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { changesIn, groupZones, POLICIES, SIXTY_CRONS, sweepAround } from '../fixtures/cron-sweep.ts';
import { cronSchedule, difference, oracleFires, plainCron, type Policy } from '../fixtures/minute-oracle.ts';
import { changesOf, clockBetween, type Clock } from '../fixtures/zone-clock.ts';

const DAY = 1440;
const minuteOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) / 60_000;

describe('crons against an oracle that looks at every minute', () => {
  // Zones whose clocks differ nowhere in these years answer alike.
  const groups = groupZones(['UTC', ...Intl.supportedValuesOf('timeZone')], 2020, 2030, 5);

  test('sixty crons in the three days around every change of every zone, 2020 to 2030', () => {
    expect(new Set(SIXTY_CRONS).size).toBe(60);
    let [changes, fires] = [0, 0];
    const mismatches: string[] = [];
    for (const group of groups)
      for (const minute of changesIn(group)) {
        // One policy each time, every policy in turn: no cron meets the same one at every change.
        const swept = sweepAround(group, group.zone, minute, (cron) => [POLICIES[(cron + changes) % POLICIES.length]!]);
        mismatches.push(...swept.mismatches);
        changes += 1;
        fires += swept.fires;
      }
    expect(mismatches).toEqual([]);
    expect(changes).toBeGreaterThan(500);
    expect(fires).toBeGreaterThan(4_000_000);
  });

  test('and in the days around random instants, the turn of a year among them', () => {
    const anyGroup = fc.integer({ min: 0, max: groups.length - 1 }).map((index) => groups[index]!);
    const anyMinute = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: minuteOf('2020-01-01'), max: minuteOf('2030-12-31') }) },
      fc.integer({ min: 2020, max: 2030 }).map((year) => minuteOf(`${year}-01-01`)),
    );
    fc.assert(
      fc.property(anyGroup, anyMinute, (group, minute) => {
        const [mismatch] = sweepAround(group, group.zone, minute, (cron) => [
          POLICIES[cron % POLICIES.length]!,
        ]).mismatches;
        if (mismatch !== undefined) throw new Error(mismatch);
      }),
      { numRuns: 40 },
    );
  });

  // Rules that modern code forgets, and years that the sweep leaves out: a day skipped, changes at midnight.
  const changes = [
    ['Europe/Berlin', '2026-03-24'],
    ['Europe/Berlin', '2026-10-20'],
    ['Australia/Lord_Howe', '2026-03-31'], // by half an hour
    ['Pacific/Apia', '2011-12-26'],
    ['America/Sao_Paulo', '2018-10-30'],
    ['Asia/Pyongyang', '2018-04-30'],
    ['America/Havana', '2025-10-28'],
    ['Antarctica/Troll', '2025-03-25'], // by two hours
  ] as const;
  test.each(changes)('%s: any cron, and any few together, in the days from %s', (zone, day) => {
    const first = minuteOf(day);
    const clock = clockBetween(changesOf(zone, first, first + 10 * DAY, 1), first, 10 * DAY);
    fc.assert(
      fc.property(fc.array(anyCron(true), { minLength: 1, maxLength: 3 }), policy, (crons, rule) =>
        agree(clock, zone, crons, rule),
      ),
      { numRuns: 25 },
    );
  });

  test.each(['Europe/Lisbon', 'America/St_Johns', 'Africa/Casablanca'])('%s: any cron over 400 days', (zone) => {
    const first = minuteOf('2023-12-20');
    const clock = clockBetween(changesOf(zone, first, first + 400 * DAY, 1), first, 400 * DAY);
    fc.assert(
      fc.property(anyCron(false), policy, (cron, rule) => agree(clock, zone, [cron], rule)),
      { numRuns: 5 },
    );
  });
});

/** Several crons fire whenever one of them does, and once when several do. */
function agree(clock: Clock, zone: string, crons: readonly string[], rule: Policy): void {
  const each = crons.map((cron) => oracleFires(clock, plainCron(cron), rule));
  const oracle = [...new Set(each.flat())].sort((a, b) => a - b);
  const { firstMinute, local } = clock;
  const found = difference(
    cronSchedule(zone, crons, rule),
    oracle,
    firstMinute + DAY,
    firstMinute + local.length - DAY,
  );
  if (found !== null) throw new Error(found);
}

function fieldOf(low: number, high: number): fc.Arbitrary<string> {
  const value = fc.integer({ min: low, max: high });
  const range = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  return fc.oneof(
    { weight: 4, arbitrary: value.map(String) },
    { weight: 2, arbitrary: fc.constant('*') },
    fc.uniqueArray(value, { minLength: 2, maxLength: 4 }).map((values) => values.join(',')),
    range,
    fc.integer({ min: 1, max: high - low }).map((step) => `*/${step}`),
    fc.tuple(range, fc.integer({ min: 1, max: 5 })).map(([text, step]) => `${text}/${step}`),
  );
}

/** Hours near the changes come often, or a random cron would rarely meet one. */
const hour = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('0', '1', '2', '3', '0,1,2,3', '1-3', '23') },
  fieldOf(0, 23),
);
const fewMinutes = fc.oneof(
  fieldOf(0, 59).filter((text) => !text.includes('*')),
  fc.constant('*/20'),
);
const policy = fc.constantFrom(...POLICIES);

function anyCron(daily: boolean): fc.Arbitrary<string> {
  const often = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    daily ? fc.constant('*') : fc.oneof({ weight: 5, arbitrary: fc.constant('*') }, arbitrary);
  return fc
    .tuple(
      daily ? fieldOf(0, 59) : fewMinutes,
      hour,
      often(fieldOf(1, 28)),
      often(fieldOf(1, 12)),
      often(fieldOf(0, 6)),
    )
    .map((fields) => fields.join(' '));
}
