import { request } from 'node:http';
import { SluiceError, type Caller, type GrantedRight, type Right } from '#core';
import { Auth, createLog, SystemMetrics, type TokenHolder } from '#platform';
import { createApi, type Api, type ApiParts } from './create-api.ts';
import type { Commands, Events, FromSlack, LiveEventListener, Reads, Tokens, WorkerCommands } from './ports.ts';

export const TOKEN = 'test-token-0123456789';

export interface ApiUnderTest extends Api {
  readonly auth: Auth;
  readonly port: number;
  /** Headers with a named token that has these rights, as in `operate:dev view:*`; the same name again changes its rights. */
  as(name: string, rights: string): { readonly authorization: string };
  /** Ends a token that `as` made. */
  revoke(name: string): void;
  /** Moves the API's clock forward. */
  pass(ms: number): void;
  /** Names of commands and reads as they were called, with their arguments. */
  readonly calls: readonly { readonly name: string; readonly args: readonly unknown[] }[];
  readonly listeners: ReadonlySet<LiveEventListener>;
  readonly logged: readonly string[];
  /** Sends exactly this, path and headers untouched; the token goes along unless `headers` says otherwise. */
  ask(path: string, options?: AskOptions): Promise<Answer>;
}
export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: unknown;
}
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; null when it is none. */
  readonly json: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- tests look into answers of every shape
}

/** The API over stand-ins that note what they are asked; `answers` says what a read or a command gives back, or throws. */
export async function anApi(
  answers: Readonly<Record<string, (...args: never[]) => unknown>> = {},
  parts: Partial<ApiParts> = {},
  { listen = true }: { listen?: boolean } = {},
): Promise<ApiUnderTest> {
  const calls: { name: string; args: readonly unknown[] }[] = [];
  const listeners = new Set<LiveEventListener>();
  const logged: string[] = [];
  let now = Date.parse('2026-01-01T00:00:00Z');
  const holders = new Map<string, TokenHolder>();
  const auth = new Auth(
    TOKEN,
    { now: () => new Date(now) },
    {
      byToken: async (token) => holders.get(token) ?? null,
      byId: async (id) => [...holders.values()].find(({ tokenId }) => tokenId === id) ?? null,
    },
  );
  const noting = <T extends object>(what: string): T =>
    new Proxy({} as T, {
      get: (_target, name) =>
        // Nest looks at every provider for `then` and its own hooks.
        typeof name !== 'string' || /^(then|on[A-Z]\w*|before[A-Z]\w*|constructor|toJSON)$/.test(name)
          ? undefined
          : async (...args: never[]) => {
              calls.push({ name, args });
              const answer = answers[name];
              if (!answer) throw new SluiceError('not_found', `${what} ${name} has no answer in this test.`);
              return answer(...args);
            },
    });
  const events: Events = {
    subscribe(topics, lastEventId, listener) {
      calls.push({ name: 'subscribe', args: [topics, lastEventId] });
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const api = await createApi({
    config: { publicUrl: null, allowedHosts: [] },
    reads: noting<Reads>('read'),
    commands: noting<Commands>('command'),
    events,
    auth,
    tokens: noting<Tokens>('token command'),
    slack: noting<FromSlack>('Slack'),
    workers: noting<WorkerCommands>('worker command'),
    metrics: new SystemMetrics(),
    log: createLog({ level: 'warn', pretty: false, destination: { write: (line) => void logged.push(line) } }),
    webFolder: null,
    version: '0.0.0-test',
    ...parts,
  });
  const port = listen ? await api.listen('127.0.0.1', 0) : 0;
  return {
    ...api,
    auth,
    calls,
    listeners,
    logged,
    port,
    as: (name, rights) => {
      const caller: Caller = { name, groups: [], rights: rightsOf(rights) };
      holders.set(name, { tokenId: String(holders.size + 1), caller });
      return { authorization: `Bearer ${name}` };
    },
    revoke: (name) => void holders.delete(name),
    pass: (ms) => void (now += ms),
    ask: (path, options) => ask(port, path, options),
  };
}

function rightsOf(text: string): GrantedRight[] {
  return text
    .split(' ')
    .filter(Boolean)
    .map((one) => ({ right: one.split(':')[0] as Right, environment: one.split(':')[1] ?? '' }));
}

export const withToken = { authorization: `Bearer ${TOKEN}` };

/**
 * Not `fetch`: it tidies paths up and refuses to set Host, which is what some tests are about. A connection each, because
 * the server closes those on which it met nonsense.
 */
function ask(
  port: number,
  path: string,
  { method = 'GET', headers = withToken, body }: AskOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const type = text === undefined ? {} : { 'content-type': 'application/json' };
    const outgoing = request(
      { port, host: '127.0.0.1', path, method, agent: false, headers: { ...type, ...headers } },
      (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (chunk) => (received += chunk));
        response.on('error', reject).on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: received,
            json: parse(received),
          }),
        );
      },
    );
    outgoing.on('error', reject).end(text);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
