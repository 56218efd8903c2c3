import pg from 'pg';
import { NOOP_MODULE, openBenchSystem } from './bench-system.ts';
import type { Benchmark } from './benchmark.ts';
import { deadRows, fullLoad, LOAD_FILE, steadyLoad } from './steady-load.ts';

const RUNS = 10;
const MINUTES = { whole: 3, small: 0.1 };
/** From which age on a transaction is told of. */
const LONG_S = 30;

export const pinnedTransaction: Benchmark = {
  name: 'L19',
  title:
    'a transaction of somebody else that stays open (a reporting tool, repeatable read), while task runs come at half of the full rate: the full rate afterwards, the transaction still open',
  hasSmallForm: true,
  measure: async ({ small, minutes }) => {
    const ms = (minutes ?? MINUTES[small ? 'small' : 'whole']) * 60_000;
    const runs = small ? 2 : RUNS;
    let pinnedAt = Infinity;
    let warnedAfterMs = NaN;
    const onWarning = (line: string): void => {
      if (/a transaction of the database is open/.test(line) && Number.isNaN(warnedAfterMs))
        warnedAfterMs = performance.now() - pinnedAt;
    };
    const files = { 'load.yaml': LOAD_FILE, 'noop.mjs': NOOP_MODULE };
    const system = await openBenchSystem({ concurrency: 8, files, onWarning });
    const reporting = new pg.Client({ connectionString: system.databaseUrl, application_name: 'reports' });
    try {
      await fullLoad(system, runs);
      const before = await fullLoad(system, runs);
      await reporting.connect();
      await reporting.query('begin isolation level repeatable read');
      await reporting.query('select count(*) from run');
      pinnedAt = performance.now();
      await steadyLoad(system, before / 2, ms);
      const dead = await deadRows(system);
      const pinned = await fullLoad(system, runs);
      const openFor = `open for ${Math.round((performance.now() - pinnedAt) / 1000)} s, ${dead.toLocaleString('en')} dead rows`;
      return [
        {
          ...{
            what: `task runs, ${openFor}`,
            unit: '/s',
            value: pinned,
            promise: Number((0.6 * before).toPrecision(3)),
          },
          ...{ floor: before, floorIs: 'the same before', promisedFloor: null },
        },
        ...(small
          ? []
          : [
              {
                ...({
                  what: 'until the log warns of it',
                  unit: 's',
                  value: warnedAfterMs / 1000,
                  promise: 60,
                } as const),
                ...{ floor: LONG_S, floorIs: 'the age at which it is told of', promisedFloor: null },
              },
            ]),
      ];
    } finally {
      await reporting.end();
      await system.close();
    }
  },
};
