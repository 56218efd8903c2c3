import { buildBelow } from '#core';

export interface JenkinsOptions {
  /** Address of Jenkins; nothing is sent anywhere else. */
  readonly url: string;
  readonly user: string;
  /** API token of this user. */
  readonly token: string;
  /** How long one call may take, in milliseconds; default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/** Where a build stands; `result` null: it goes on. */
export interface BuildStatus {
  readonly result: string | null;
}

/** What is asked of a Jenkins. Each throws an error without a secret in it when that does not work now. */
export interface JenkinsCalls {
  /** Null: there is no such build (any more). Throws for a build of another server. */
  status(build: string): Promise<BuildStatus | null>;
  /** False: the build does not wait at this input. */
  answer(build: string, input: string, answer: 'proceed' | 'abort'): Promise<boolean>;
}

export function createJenkinsCalls({ url, user, token, timeoutMs = 10_000 }: JenkinsOptions): JenkinsCalls {
  const authorization = `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;
  const call = async (address: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { authorization, ...init.headers };
    // A redirect is no answer: following it would carry what we know of Jenkins elsewhere.
    const options: RequestInit = { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) };
    return fetch(address, { ...options, ...init, headers }).catch((cause: unknown) => {
      throw new Error(`${new URL(address).host} gave no answer: ${reasonOf(cause)}`, { cause });
    });
  };
  const below = (build: string): string => {
    const found = buildBelow(url, build);
    if (found === null) throw new Error(`${build} is not a build of ${url}`);
    return found;
  };

  return {
    async status(build) {
      const response = await call(`${below(build)}api/json?tree=building,result`);
      if (response.status === 404) return drained(response, null);
      await refuseOthers(response, 'status of the build');
      const { building, result } = (await response.json()) as { building?: unknown; result?: unknown };
      return { result: building === false && typeof result === 'string' ? result : null };
    },
    async answer(build, input, answer) {
      const response = await call(`${below(build)}input/${inputId(input)}/${answer}`, {
        method: 'POST',
        headers: await crumb(call, url),
        // `proceed` tells the build who answered, in the variable that its `submitterParameter` names.
        body: new URLSearchParams({ json: JSON.stringify({ parameter: [] }) }),
      });
      if (response.status === 404) return drained(response, false);
      await refuseOthers(response, `input ${input}`);
      return drained(response, true);
    },
  };
}

/** What Jenkins wants to see in a POST, with the session it belongs to; nothing where it asks for none. */
async function crumb(call: (address: string) => Promise<Response>, url: string): Promise<Record<string, string>> {
  const response = await call(`${url.replace(/\/+$/, '')}/crumbIssuer/api/json`);
  if (response.status === 404) return drained(response, {});
  await refuseOthers(response, 'crumb');
  const cookie = response.headers.getSetCookie().map((one) => one.split(';')[0] ?? '');
  const { crumb: value, crumbRequestField: field } = (await response.json()) as Record<string, unknown>;
  if (typeof value !== 'string' || typeof field !== 'string') throw new Error('the crumb of Jenkins is none');
  return { [field]: value, ...(cookie.length === 0 ? {} : { cookie: cookie.join('; ') }) };
}

/** Jenkins makes the first letter of an id a capital. */
function inputId(input: string): string {
  return encodeURIComponent(input.charAt(0).toUpperCase() + input.slice(1));
}

async function refuseOthers(response: Response, what: string): Promise<void> {
  if (response.ok) return;
  await response.body?.cancel();
  const hints: Record<number, string> = {
    401: '; are SLUICE_JENKINS_USER and SLUICE_JENKINS_TOKEN right?',
    403: '; may this user see the build and answer its input (submitter)?',
  };
  const redirect = response.status >= 300 && response.status < 400 ? '; is SLUICE_JENKINS_URL its own address?' : '';
  throw new Error(`Jenkins answered ${response.status} to ${what}${hints[response.status] ?? redirect}`);
}

async function drained<T>(response: Response, value: T): Promise<T> {
  await response.body?.cancel();
  return value;
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}
