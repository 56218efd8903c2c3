import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { SluiceError, type ErrorCode, type Problem } from '#core';
import { isDatabaseAway, type Log } from '#platform';

/** The only place that knows which HTTP status an error code has. */
export const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  invalid_config: 422,
  run_failed: 422,
  promotion_failed: 422,
  timeout: 504,
  unavailable: 503,
  not_supported: 501,
  internal: 500,
};

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly error: { code: ErrorCode; message: string; hint?: string; problems?: readonly Problem[] };
  };
}

/** What a caller is told about an error. Only SluiceErrors say their message; of anything else nothing leaves the server. */
export function answerTo(error: unknown): ErrorAnswer {
  if (error instanceof SluiceError && error.code !== 'internal') {
    const { code, message, hint, details } = error;
    const { retryAfterMs, problems } = details as { retryAfterMs?: number; problems?: readonly Problem[] };
    const listed = Array.isArray(problems) && problems.every((one) => typeof one === 'object');
    return {
      status: retryAfterMs === undefined ? STATUS_OF[code] : 429,
      headers: retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) },
      body: { error: { code, message, ...(hint === undefined ? {} : { hint }), ...(listed ? { problems } : {}) } },
    };
  }
  if (isDatabaseAway(error)) {
    const hint = 'Ask again in a moment; what was asked for may have been done.';
    return {
      status: 503,
      headers: {},
      body: { error: { code: 'unavailable', message: 'The database does not answer.', hint } },
    };
  }
  const status = statusOf(error);
  const code: ErrorCode = status === 404 ? 'not_found' : status < 500 ? 'bad_request' : 'internal';
  const message =
    status < 500
      ? (REFUSALS[status] ?? 'The request is malformed.')
      : 'Something went wrong inside Sluice; its log says what.';
  return { status, headers: {}, body: { error: { code, message } } };
}

const REFUSALS: Readonly<Record<number, string>> = {
  404: 'There is nothing at this address.',
  405: 'This address does not take that method.',
  408: 'The request took too long to arrive.',
  413: 'The body is too large: at most 1 MiB.',
  414: 'The address is too long.',
  415: 'The body has to be JSON (content-type: application/json).',
};

/** Fastify's and Nest's own errors carry a status; everything else is a defect. */
function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

/** Turns whatever a route throws into the error body of the contract; the log keeps the whole of what the caller is not told. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const { status, headers, body } = answerTo(error);
    if (status >= 500) this.log.error({ err: error, route: reply.request.routeOptions.url, status }, 'request failed');
    if (!reply.sent) void reply.status(status).headers(headers).send(body);
  }
}
