import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

const LONGEST_MS = 60_000;
const AGAIN_MS = 50;

/** Reads from a server that is killed and started under us: each query is tried until the server answers it. */
export class PatientDatabase {
  private readonly pool: pg.Pool;

  constructor(readonly url: string) {
    this.pool = new pg.Pool({ connectionString: url, max: 2, application_name: 'fault-observer' });
    this.pool.on('error', () => undefined); // the next query finds out
  }

  /** Only for what may be asked twice. A mistake in the statement itself is thrown at once. */
  async query<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<pg.QueryResult<T>> {
    for (const deadline = Date.now() + LONGEST_MS; ;) {
      try {
        return await this.pool.query<T>(text, values);
      } catch (error) {
        if (isMistake(error) || Date.now() > deadline) throw error;
        await delay(AGAIN_MS);
      }
    }
  }

  /** Null: it does not answer now. */
  async once<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<readonly T[] | null> {
    try {
      return (await this.pool.query<T>(text, values)).rows;
    } catch (error) {
      if (isMistake(error)) throw error;
      return null;
    }
  }

  end(): Promise<void> {
    return this.pool.end();
  }
}

/** Syntax, unknown names, broken constraints: asking again changes nothing. */
function isMistake(error: unknown): boolean {
  return /^(22|23|42)/.test((error as { code?: string }).code ?? '');
}
