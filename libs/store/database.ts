import { DataSource } from 'typeorm';
import pg from 'pg';
import { SluiceError } from '#core';
import { ADVISORY_LOCKS } from './locks.ts';
import { First1790000000001 } from './migrations/0001-first.ts';
import { Promotions1790000000002 } from './migrations/0002-promotions.ts';
import { AuditAppendOnly1790000000003 } from './migrations/0003-audit-append-only.ts';
import { Verification1790000000004 } from './migrations/0004-verification.ts';
import { FollowAndPreviews1790000000005 } from './migrations/0005-follow-and-previews.ts';
import { OneLooksAtARemote1790000000006 } from './migrations/0006-one-looks-at-a-remote.ts';
import { RolledBackData1790000000007 } from './migrations/0007-rolled-back-data.ts';
import { TellOfPromotions1790000000008 } from './migrations/0008-tell-of-promotions.ts';
import { CachedResults1790000000009 } from './migrations/0009-cached-results.ts';
import { Triggers1790000000010 } from './migrations/0010-triggers.ts';
import { Waits1790000000011 } from './migrations/0011-waits.ts';
import { Backfills1790000000012 } from './migrations/0012-backfills.ts';
import { PromotionInputs1790000000013 } from './migrations/0013-promotion-inputs.ts';
import { CheckResults1790000000014 } from './migrations/0014-check-results.ts';
import { ReleaseTests1790000000015 } from './migrations/0015-release-tests.ts';
import { Calls1790000000016 } from './migrations/0016-calls.ts';
import { WaitsOfGroups1790000000017 } from './migrations/0017-waits-of-groups.ts';
import { Marks1790000000018 } from './migrations/0018-marks.ts';
import { Past1790000000019 } from './migrations/0019-past.ts';
import { Resources1790000000020 } from './migrations/0020-resources.ts';
import { Assignments1790000000023 } from './migrations/0023-assignments.ts';
import { History1790000000025 } from './migrations/0025-history.ts';
import { Placements1790000000028 } from './migrations/0028-placements.ts';
import { Replicas1790000000029 } from './migrations/0029-replicas.ts';
import { MendedAlerts1790000000030 } from './migrations/0030-mended-alerts.ts';
import { Vacuum1790000000031 } from './migrations/0031-vacuum.ts';
import { Refuse1790000000032 } from './migrations/0032-refuse.ts';

const MIGRATIONS = [
  First1790000000001,
  Promotions1790000000002,
  AuditAppendOnly1790000000003,
  Verification1790000000004,
  FollowAndPreviews1790000000005,
  OneLooksAtARemote1790000000006,
  RolledBackData1790000000007,
  TellOfPromotions1790000000008,
  CachedResults1790000000009,
  Triggers1790000000010,
  Waits1790000000011,
  Backfills1790000000012,
  PromotionInputs1790000000013,
  CheckResults1790000000014,
  ReleaseTests1790000000015,
  Calls1790000000016,
  WaitsOfGroups1790000000017,
  Marks1790000000018,
  Past1790000000019,
  Resources1790000000020,
  Assignments1790000000023,
  History1790000000025,
  Placements1790000000028,
  Replicas1790000000029,
  MendedAlerts1790000000030,
  Vacuum1790000000031,
  Refuse1790000000032,
];
/** Instants come as ISO 8601 strings, so that rows are plain JSON; bigint comes as a string, as pg does by itself. */
const TIMESTAMPTZ = 1184;
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === TIMESTAMPTZ ? isoOf : pg.types.getTypeParser(oid, format),
};

/** A page of a run holds ten thousand instants; through a Date they would cost more than all the rest of reading it. */
function isoOf(text: string): string {
  // `2026-01-02 03:04:05.123456+00`
  if (text[4] !== '-' || text[10] !== ' ' || !text.endsWith('+00')) return new Date(text).toISOString();
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).padEnd(3, '0').slice(0, 3)}Z`;
}

/**
 * A process that is paused in the middle of a transaction keeps its locks until then. Shorter than the lease of a
 * scheduler, so that whoever takes its runs over does not wait for them.
 */
const IDLE_IN_TRANSACTION_MS = 6000;

/** A connection whose other end vanished without a word ends after minutes, instead of never. */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

/**
 * What looks every ten seconds shall find its connections open: to open one costs Postgres a process, and us as much as
 * hundreds of statements.
 */
const IDLE_CONNECTION_MS = 5 * 60_000;

/** A connection of the pool. */
class PooledClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    // Until TypeORM has its connection from the pool nobody listens to it. A server that takes a connection and shuts down
    // at once says both in one packet, and an error that nobody listens to ends the process. Heard here, it is what the
    // first statement reports.
    this.on('error', () => undefined);
  }

  /** Statements have constant texts: prepared once for each connection, planning them costs a third of Postgres' time less. */
  override query(...args: unknown[]): never {
    const [text, values] = args;
    const name = typeof text === 'string' && Array.isArray(values) ? preparedAs(text) : null;
    return (super.query as (...args: unknown[]) => never)(...(name === null ? args : [{ name, text, values }]));
  }
}

/** Far more than there are; texts that somebody puts together anew each time shall not fill the memory of the server. */
const MOST_PREPARED = 1000;
const prepared = new Map<string, string>();

function preparedAs(text: string): string | null {
  const known = prepared.get(text);
  if (known !== undefined) return known;
  if (prepared.size >= MOST_PREPARED) return null;
  const name = `sluice_${prepared.size + 1}`;
  prepared.set(text, name);
  return name;
}

/** Connects to Postgres 15 or later. `connections` bounds the pool. */
export async function connectDatabase(
  url: string,
  options: { connections?: number; name?: string } = {},
): Promise<DataSource> {
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    migrations: MIGRATIONS,
    synchronize: false,
    poolSize: options.connections ?? 8,
    applicationName: options.name ?? 'sluice',
    extra: {
      ...{ types, Client: PooledClient, pipeline: true },
      ...{ idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS, connectionTimeoutMillis: 10_000 },
      ...{ idleTimeoutMillis: IDLE_CONNECTION_MS, ...KEEP_ALIVE },
    },
    // A connection that breaks while idle is replaced by the pool; the next statement reports what matters.
    poolErrorHandler: () => undefined,
  });
  try {
    return await dataSource.initialize();
  } catch (cause) {
    throw new SluiceError(
      'unavailable',
      `Postgres does not answer at ${withoutPassword(url)}: ${(cause as Error).message}`,
      {
        hint: 'Check DATABASE_URL, or leave it out to use the embedded Postgres.',
        cause,
      },
    );
  }
}

/** Brings the schema up to date; safe to call from several processes at once. */
export async function migrate(url: string): Promise<void> {
  const dataSource = await connectDatabase(url, { connections: 2, name: 'sluice-migrate' });
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('select pg_advisory_lock($1::bigint)', [ADVISORY_LOCKS.migrate]);
    await dataSource.runMigrations({ transaction: 'each' });
    await runner.query('select pg_advisory_unlock($1::bigint)', [ADVISORY_LOCKS.migrate]);
  } finally {
    await runner.release();
    await dataSource.destroy();
  }
}

function withoutPassword(url: string): string {
  return url.replace(/(:\/\/[^:/@]*):[^@]*@/, '$1:***@');
}
