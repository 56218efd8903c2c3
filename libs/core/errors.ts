/** Closed list of error codes; the API maps each to one HTTP status, the CLI to one exit code. */
export const ERROR_CODES = [
  /** The request or the arguments are malformed. */
  'bad_request',
  /** Missing or wrong token, Host or Origin. */
  'unauthorized',
  /** The token is genuine, and its rights do not include this; the message names the right and the environment. */
  'forbidden',
  /** The named thing does not exist. */
  'not_found',
  /** Somebody else was first, or the thing is in a state that does not allow this. */
  'conflict',
  /** A pipeline or environment file has problems; `details.problems` lists them. */
  'invalid_config',
  /** A run or a task ended unsuccessfully and the caller asked to know. */
  'run_failed',
  /** A promotion ended in another state than verified and the caller asked to know. */
  'promotion_failed',
  /** Waiting ended before the thing did. */
  'timeout',
  /** Something Sluice relies on (Postgres, storage, an executable) is missing or does not answer. */
  'unavailable',
  /** The key, kind or option is understood but not supported in this version. */
  'not_supported',
  /** A defect in Sluice. */
  'internal',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** The one error class. `message` says what, the value, where and what was expected; `hint` says what to do. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string | undefined; details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/** An author's mistake in a file: collected and returned, never thrown. Lines and columns are 1-based. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** What is wrong, with the value and what was expected. */
  readonly message: string;
  /** What to do about it; often "did you mean". */
  readonly hint?: string;
}

/** Use in the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new SluiceError('internal', `unexpected value ${JSON.stringify(value)}`);
}
