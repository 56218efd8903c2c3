import type { DataSource } from 'typeorm';
import { SluiceError } from '#core';
import type { BackfillDetail, BackfillShape } from '#contracts';
import { apiQueries } from '#store';
import { decodeCursor, toPage } from './cursor.ts';

type BackfillRow = NonNullable<Awaited<ReturnType<typeof apiQueries.readBackfill>>>;

/** What the API answers about backfills, in the shapes of #contracts. What does not exist is a SluiceError `not_found`. */
export function createBackfillReads({ db }: { readonly db: DataSource }) {
  const find = async (id: string): Promise<BackfillRow> => {
    const row = await apiQueries.readBackfill(db, id);
    if (row !== null) return row;
    throw new SluiceError('not_found', `There is no backfill ${id}.`, { hint: 'See `sluice backfill list`.' });
  };
  return {
    backfills: async (options: {
      environment: string | null;
      among: readonly string[] | null;
      pipeline: string | null;
      limit: number;
      cursor: string | null;
    }) => {
      const { cursor, limit, ...filter } = options;
      const rows = await apiQueries.readBackfills(db, { ...filter, before: decodeCursor(cursor), limit: limit + 1 });
      return toPage(rows, limit, toBackfill);
    },
    backfill: async (id: string) => toBackfill(await find(id)),
    environmentOfBackfill: async (id: string) => (await find(id)).environment,
    backfillDetail: async (id: string): Promise<BackfillDetail> => {
      const row = await find(id);
      const intervals = await apiQueries.readBackfillIntervals(db, id);
      return {
        ...toBackfill(row),
        intervals: intervals.map(({ start, end, ...rest }) => ({ interval: { start, end }, ...rest })),
      };
    },
  };
}

function toBackfill({ runOrder, runs, ...row }: BackfillRow): BackfillShape {
  return { ...row, order: runOrder, runs: { ...runs } };
}
