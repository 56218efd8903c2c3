import { QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';

/** SQLSTATE classes of a connection that broke, of a server that stops or has no connection left. */
const AWAY = /^(08|57P|53)/;
/** What pg and the pool say without a code. */
const SAID =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/;
/** What TypeORM says in a transaction whose connection broke between two statements. */
const BETWEEN = [QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError];
const NO_SERVER = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'];

/** Whether a statement failed because Postgres was not there, not because of what it says: the same may succeed in a moment. */
export function isDatabaseAway(error: unknown): boolean {
  if (BETWEEN.some((kind) => error instanceof kind)) return true;
  const { driverError, code, message } = (error ?? {}) as { driverError?: unknown; code?: unknown; message?: unknown };
  if (driverError !== undefined) return isDatabaseAway(driverError);
  if (typeof code === 'string') return AWAY.test(code) || NO_SERVER.includes(code);
  return typeof message === 'string' && SAID.test(message);
}
