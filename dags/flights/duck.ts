import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { COLUMNS, type Column, type Examples } from './encode.ts';
import type { Days } from './split.ts';

/** Gives `use` a connection to an empty in-memory DuckDB and closes it afterwards. One thread: the order of rows is then fixed. */
export async function withDuckDB<T>(use: (db: DuckDBConnection) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const db = await instance.connect();
  try {
    return await use(db);
  } finally {
    db.closeSync();
    instance.closeSync();
  }
}

export interface Selection {
  readonly days?: Days;
  /** Every nth row only. */
  readonly every?: number;
}

/** Reads flights with their features from one parquet file, in its order. */
export async function readExamples(file: string, { days, every = 1 }: Selection = {}): Promise<Examples> {
  return withDuckDB(async (db) => {
    const casts = ['late', ...COLUMNS].map((column) => `${column}::double as ${column}`).join(', ');
    const reader = await db.runAndReadAll(
      `select ${casts} from read_parquet($file, file_row_number = true)
       where day >= $from::date and day < $to::date and file_row_number % $every = 0`,
      { file, every, from: days?.from ?? '0001-01-01', to: days?.to ?? '9999-12-31' },
    );
    const values = reader.getColumnsObjectJS();
    const numbers = (name: string): Float64Array => Float64Array.from(values[name] as number[]);
    return {
      rows: reader.currentRowCount,
      late: numbers('late'),
      columns: Object.fromEntries(COLUMNS.map((name) => [name, numbers(name)])) as Record<Column, Float64Array>,
    };
  });
}
