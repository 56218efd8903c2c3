import { ERROR_CODES, SluiceError, type ErrorCode, type Problem } from '#core';

export interface ClientOptions {
  /** Origin of the server, with or without a trailing slash: `http://127.0.0.1:4400`. In a browser: `''` or `location.origin`. */
  readonly baseUrl: string;
  /** Sent as `Authorization: Bearer`; leave it out in a browser, where the cookie speaks. */
  readonly token?: string;
  /** How long one request may take, in milliseconds; 30,000 unless told. Streams are not bounded by it. */
  readonly timeoutMs?: number;
  /** How long an event stream may stay silent, in milliseconds; 45,000 (three heartbeats) unless told. */
  readonly idleMs?: number;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

export interface RequestDetails {
  readonly query?: Query | undefined;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly bytes?: Uint8Array<ArrayBuffer> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly stream?: boolean;
}

/**
 * Sends one request to `/api/v1<path>` and returns the response when its status is 2xx.
 * Throws a SluiceError otherwise: the server's own code, message, hint and `details.problems` when it sent them,
 * `unavailable` when there was no answer, `timeout` when it took too long.
 * An abort by the caller's signal is thrown as it is.
 */
export async function send(
  options: ClientOptions,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  details: RequestDetails = {},
): Promise<Response> {
  const url = `${options.baseUrl.replace(/\/+$/, '')}/api/v1${path}${queryString(details.query)}`;
  const limit = details.stream ? null : AbortSignal.timeout(options.timeoutMs ?? 30_000);
  const signals = [limit, details.signal].filter((signal) => signal != null);
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers: {
        accept: details.stream ? 'text/event-stream' : 'application/json',
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...(details.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(details.bytes === undefined ? {} : { 'content-type': 'application/octet-stream' }),
        // Proves to the server that no form of another site wrote this request with the browser's cookie.
        ...(method === 'GET' ? {} : { 'x-sluice': '1' }),
        ...details.headers,
      },
      ...(details.body === undefined ? {} : { body: JSON.stringify(details.body) }),
      ...(details.bytes === undefined ? {} : { body: details.bytes }),
      // The token must not follow a redirect to somebody else.
      redirect: 'error',
      ...(signals.length > 0 ? { signal: AbortSignal.any(signals) } : {}),
    });
  } catch (error) {
    if (details.signal?.aborted) throw error;
    throw noAnswer(options, error, limit?.aborted ?? false);
  }
  if (!response.ok) throw await refusal(response, method, path);
  return response;
}

function queryString(query: Query | undefined): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}`;
}

function noAnswer(options: ClientOptions, cause: unknown, tookTooLong: boolean): SluiceError {
  const server = options.baseUrl || 'the server';
  if (tookTooLong)
    return new SluiceError('timeout', `No answer from ${server} within ${(options.timeoutMs ?? 30_000) / 1000} s.`, {
      cause,
    });
  // Node puts the reason (`ECONNREFUSED`) into the cause of a bare "fetch failed".
  const { message, cause: inner } = cause as { readonly message?: string; readonly cause?: { readonly code?: string } };
  const reason = inner?.code ?? message ?? '';
  return new SluiceError('unavailable', `No answer from ${server}${reason ? ` (${reason})` : ''}.`, {
    hint: 'Is it running? `npm start` starts one.',
    cause,
  });
}

async function refusal(response: Response, method: string, path: string): Promise<SluiceError> {
  const status = response.status;
  const text = await response.text().catch(() => '');
  const body = parseErrorBody(text);
  if (body === null)
    return new SluiceError(codeOfStatus(status), `${method} ${path} was answered with HTTP ${status}.`, {
      details: { status },
    });
  const known = ERROR_CODES.find((code) => code === body.code) ?? codeOfStatus(status);
  return new SluiceError(known, body.message, {
    hint: body.hint,
    details: { status, ...(body.problems ? { problems: body.problems } : {}) },
  });
}

interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly problems?: readonly Problem[];
}

function parseErrorBody(text: string): ErrorBody | null {
  try {
    const error = (JSON.parse(text) as { error?: Partial<ErrorBody> } | null)?.error;
    return typeof error?.code === 'string' && typeof error.message === 'string' ? (error as ErrorBody) : null;
  } catch {
    return null; // Not JSON: a proxy's page, or not our server. The status says enough.
  }
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not_found';
  if (status === 409) return 'conflict';
  if (status === 422) return 'invalid_config';
  if (status === 501) return 'not_supported';
  if (status >= 502 && status <= 504) return 'unavailable';
  return status < 500 ? 'bad_request' : 'internal';
}
