import { declaredEnvironment, type ObjectStore, SluiceError } from '#core';
import { archivedRunDetail, type ArchivedRun, type ArchivedRunDetail } from '#contracts';
import { historyQueries, type ArchivedRunRow, type Db } from '#store';
import { readArchived } from '../history/archive-file.ts';
import { decodeCursor, toPage } from './cursor.ts';

export interface HistoryReadContext {
  readonly db: Db;
  readonly objectsFor: (environment: string) => ObjectStore;
}

/** What the API answers about runs that are in archives. */
export function createHistoryReads({ db, objectsFor }: HistoryReadContext) {
  return {
    archivedRuns: async (options: {
      environment: string | null;
      among: readonly string[] | null;
      pipeline: string | null;
      limit: number;
      cursor: string | null;
    }): Promise<{ items: ArchivedRun[]; next: string | null }> => {
      const { cursor, limit, ...filter } = options;
      const before = decodeCursor(cursor);
      const rows = await historyQueries.readArchivedRuns(db, { ...filter, before, limit: limit + 1 });
      return toPage(rows, limit, (row) => toArchivedRun(row, objectsFor));
    },
    archivedRun: async (runId: string): Promise<ArchivedRunDetail> => {
      const row = await historyQueries.archivedRun(db, runId);
      if (row === null)
        throw new SluiceError('not_found', `No archive holds a run ${JSON.stringify(runId)}.`, {
          hint: 'See `sluice history list`; runs that are not archived are in `sluice runs list`.',
        });
      const { run, ...parts } = await readArchived(objectsFor(declaredEnvironment(row.environment)), row, runId);
      // It comes from storage: only what is known of it is passed on.
      return archivedRunDetail.parse({ ...run, ...parts, ...toArchivedRun(row, objectsFor) });
    },
  };
}

function toArchivedRun(row: ArchivedRunRow, objectsFor: HistoryReadContext['objectsFor']): ArchivedRun {
  const { intervalStart, intervalEnd, key, sha256: _sha256, ...rest } = row;
  const interval = intervalStart === null || intervalEnd === null ? null : { start: intervalStart, end: intervalEnd };
  return { ...rest, interval, archive: `${addressOf(row.environment, objectsFor)}${key}` };
}

/** Of an environment that is gone from environments/ only the place below its root is known. */
function addressOf(environment: string, objectsFor: HistoryReadContext['objectsFor']): string {
  try {
    return `${objectsFor(declaredEnvironment(environment)).name}/`;
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'not_found') return '';
    throw error;
  }
}
