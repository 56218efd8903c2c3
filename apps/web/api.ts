import type { Problem } from '#core';
import { setSignedOut } from './session.ts';

// Its own few calls instead of the client of libs/contracts: each read takes the signal that cancels it when its page is left,
// and core's errors would come along into the first page.
const BASE = '/api/v1';

/** What the server said when it refused. `code` is one of core's ERROR_CODES, or `offline` when it did not answer. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;
  readonly problems: readonly Problem[];

  constructor(status: number, body: { code: string; message: string; hint?: string; problems?: readonly Problem[] }) {
    super(body.message);
    this.name = 'ApiError';
    this.status = status;
    this.code = body.code;
    this.hint = body.hint;
    this.problems = body.problems ?? [];
  }
}

export type Query = Readonly<Record<string, string | number | undefined>>;

/** `/api/v1` + path + query; keys without a value are left out. Path parts must be encoded by the caller, see `part`. */
export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
  const text = search.toString();
  return `${BASE}${path}${text === '' ? '' : `?${text}`}`;
}

/** One path segment. */
export const part = encodeURIComponent;

/** Throws ApiError. */
export function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return call<T>(address(path, query), { signal: signal ?? null });
}

/** The header keeps other sites from posting with our cookie. Throws ApiError. */
export function post<T>(path: string, body: unknown = {}): Promise<T> {
  return call<T>(address(path), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-sluice': 'web' },
    body: JSON.stringify(body),
  });
}

/** Throws ApiError. */
export function remove<T>(path: string): Promise<T> {
  return call<T>(address(path), { method: 'DELETE', headers: { 'x-sluice': 'web' } });
}

/** Trades a one-time code or the token for the cookie. Throws ApiError. */
export async function signIn(by: { code: string } | { token: string }): Promise<void> {
  await post('/login', by);
}

async function call<T>(url: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: 'same-origin', ...init });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError(0, {
      code: 'offline',
      message: 'The server does not answer.',
      hint: 'Is it running? `npm start` starts it.',
    });
  }
  if (response.status === 204) return undefined as T;
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  if (response.status === 401) setSignedOut(true);
  throw new ApiError(response.status, errorOf(body, response));
}

function errorOf(body: unknown, response: Response): { code: string; message: string; hint?: string } {
  const error = (body as { error?: { code: string; message: string } } | null)?.error;
  return (
    error ?? { code: 'internal', message: `The server answered ${response.status} ${response.statusText}`.trim() + '.' }
  );
}
