import type { BackfillOrder, Reprocess } from '#core';
import type { Backfills } from '#engine';

/** The engine's backfills in the words of the API: instants as strings. */
export function createBackfillCommands({ backfills }: { readonly backfills: Backfills }) {
  return {
    backfill: async (
      request: {
        environment: string;
        pipeline: string;
        from: string;
        to: string;
        reprocess: Reprocess;
        release?: string | undefined;
        order: BackfillOrder;
        maxActive?: number | undefined;
        dryRun: boolean;
      },
      actor: string,
    ) => {
      const { dryRun, release, maxActive, ...rest } = request;
      const wanted = {
        ...rest,
        ...(release === undefined ? {} : { release }),
        ...(maxActive === undefined ? {} : { maxActive }),
      };
      const { id, items, nothing } = await (dryRun ? backfills.plan(wanted) : backfills.create(wanted, actor));
      return {
        id,
        ...(nothing === null ? {} : { nothing }),
        intervals: items.map(({ interval, ...item }) => ({
          ...item,
          interval: { start: interval.start.toISOString(), end: interval.end.toISOString() },
        })),
      };
    },
    pauseBackfill: (id: string, actor: string) => backfills.pause(id, actor),
    resumeBackfill: (id: string, actor: string) => backfills.resume(id, actor),
    cancelBackfill: (id: string, actor: string) => backfills.cancel(id, actor),
  };
}
