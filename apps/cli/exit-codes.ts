import type { ErrorCode } from '#core';

/** The only table from error code to exit code; docs/cli.md shows it. */
export const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  internal: 1,
  unavailable: 1,
  not_supported: 1,
  bad_request: 2,
  invalid_config: 3,
  unauthorized: 4,
  forbidden: 4,
  not_found: 5,
  conflict: 6,
  run_failed: 7,
  timeout: 8,
  promotion_failed: 9,
};

/** With `--exit-code`: what was compared differs. */
export const DIFFERENT = 10;

/** `sluice verify`: nothing can be said, because something it needs is gone or may not be executed again. */
export const NOT_COMPARABLE = 11;

/** Ctrl-C: 128 + SIGINT, as shells expect. */
export const INTERRUPTED = 130;

/** What each exit code means, in words, for the manual. */
export const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'something failed: the server did not answer, a tool is missing, a defect',
  2: 'the command line or the request is malformed',
  3: 'a pipeline or environment file has problems',
  4: 'the token is missing or wrong, or may not do this',
  5: 'the named thing does not exist',
  6: 'somebody else was first, or the state of the thing does not allow it',
  7: 'the run ended in another state than success, or a test failed',
  8: 'still pending when the time was up',
  9: 'the promotion ended without effect: a gate failed, somebody rejected it, verification failed',
  10: 'there are differences: found by `verify`, or --exit-code was given',
  11: '`verify` could not compare',
  130: 'interrupted by Ctrl-C',
};
