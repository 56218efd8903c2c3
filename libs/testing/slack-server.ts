import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Arrivals } from './arrivals.ts';
import { FaultQueue } from './fault-queue.ts';
import { SlackWorkspace, type SlackArguments, type SlackMessage, type SlackWhisper } from './slack-workspace.ts';

export interface SlackCall {
  readonly method: string;
  readonly args: SlackArguments;
  readonly token: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
  /** HTTP status answered, or null when there was no answer. */
  readonly status: number | null;
  /** Slack's error code, or null. */
  readonly error: string | null;
}

export type SlackFault =
  | { readonly kind: 'rate_limited'; readonly retryAfterSeconds: number }
  | { readonly kind: 'status'; readonly status: number; readonly body?: string }
  | { readonly kind: 'error'; readonly error: string }
  /** Takes the call and never answers. */
  | { readonly kind: 'hang' }
  /** Does the work and cuts the connection instead of answering. */
  | { readonly kind: 'lose_answer' };

export interface SlackServer {
  /** `http://127.0.0.1:PORT/api/`, for `slackApiUrl`. */
  readonly apiUrl: string;
  /** Every call in order, faults included. */
  readonly calls: readonly SlackCall[];
  /** Messages as they look now, oldest first; of one channel (name or id) when given, replies included. */
  messages(channel?: string): readonly SlackMessage[];
  /** Replies in the thread of a message, oldest first. */
  replies(ts: string): readonly SlackMessage[];
  /** Messages that one person sees, in order. */
  readonly whispers: readonly SlackWhisper[];
  /** A message that somebody else writes. */
  writeAsOther(channel: string, text: string): void;
  /** The next `times` (default 1) calls of `method` (`*`: any) meet this fault. */
  fail(method: string, fault: SlackFault, times?: number): void;
  /** Forgets the faults that have not been met. */
  heal(): void;
  waitForCalls(enough: (calls: readonly SlackCall[]) => boolean, timeoutMs?: number): Promise<readonly SlackCall[]>;
  /** Stops listening, so that connections are refused; `listen` takes the same port again. */
  refuse(): Promise<void>;
  listen(): Promise<void>;
  close(): Promise<void>;
}

export interface SlackServerOptions {
  /** Tokens that are accepted; default: any. */
  readonly token?: string;
  /** Names without `#`; default `ml-alerts` and `ml-oncall`. */
  readonly channels?: readonly string[];
  /** 0 (default) takes a free one. */
  readonly port?: number;
}

/** A real HTTP server that speaks the part of Slack's Web API that alerts use, with its limits, and records everything. */
export async function startSlackServer(options: SlackServerOptions = {}): Promise<SlackServer> {
  const names = options.channels ?? ['ml-alerts', 'ml-oncall'];
  const channels = new Map(names.map((name, index) => [name, `C${String(index + 1).padStart(8, '0')}`]));
  const workspace = new SlackWorkspace(channels);
  const calls = new Arrivals<SlackCall>();
  const faults = new FaultQueue<SlackFault>();
  const handle = slackHandler(workspace, calls, faults, options.token ?? null);
  let server: Server | null = null;
  let port = options.port ?? 0;

  async function listen(): Promise<void> {
    const next = createServer((request, response) => void handle(request, response));
    await new Promise<void>((resolve, reject) => {
      next.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    port = (next.address() as AddressInfo).port;
    server = next;
  }
  async function refuse(): Promise<void> {
    const old = server;
    server = null;
    if (old === null) return;
    await new Promise<void>((resolve) => {
      old.close(() => resolve());
      old.closeAllConnections();
    });
  }
  await listen();
  return {
    apiUrl: `http://127.0.0.1:${port}/api/`,
    calls: calls.all,
    messages: (channel) => {
      const id = channel === undefined ? undefined : (channels.get(channel.replace(/^#/, '')) ?? channel);
      return workspace.messages.filter((message) => id === undefined || message.channel === id);
    },
    replies: (ts) => workspace.messages.filter(({ threadTs }) => threadTs === ts),
    whispers: workspace.whispers,
    writeAsOther: (channel, text) => void workspace.answer('chat.postMessage', { channel, text }),
    fail: (method, fault, times = 1) => faults.add(method, fault, times),
    heal: () => faults.clear(),
    waitForCalls: (enough, timeoutMs) => calls.until(enough, timeoutMs),
    refuse,
    listen,
    close: refuse,
  };
}

function slackHandler(
  workspace: SlackWorkspace,
  calls: Arrivals<SlackCall>,
  faults: FaultQueue<SlackFault>,
  requiredToken: string | null,
) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const args = await readArguments(request);
    const method = /^\/api\/([\w.]+)/.exec(request.url ?? '')?.[1] ?? '';
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? asText(args['token']);
    const record = (status: number | null, error: string | null): void =>
      calls.add({ method, args, token, at: Date.now(), status, error });
    const reply = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      record(status, (body as { error?: string }).error ?? null);
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };

    const fault = faults.take(method);
    switch (fault?.kind) {
      case 'rate_limited':
        return reply(429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(fault.retryAfterSeconds) });
      case 'status':
        return reply(fault.status, fault.body ?? { ok: false, error: 'internal_error' });
      case 'error':
        return reply(200, { ok: false, error: fault.error });
      case 'hang':
        return record(null, null);
      case 'lose_answer':
        workspace.answer(method, args);
        record(null, null);
        request.socket.destroy();
        return;
      case undefined:
        break;
    }
    if (token === null) return reply(200, { ok: false, error: 'not_authed' });
    if (requiredToken !== null && token !== requiredToken) return reply(200, { ok: false, error: 'invalid_auth' });
    reply(200, workspace.answer(method, args));
  };
}

function asText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Form bodies carry objects as JSON text, JSON bodies as they are. */
async function readArguments(request: IncomingMessage): Promise<SlackArguments> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  if (request.headers['content-type']?.startsWith('application/json'))
    return JSON.parse(body || '{}') as SlackArguments;
  const args: Record<string, unknown> = {};
  for (const [key, value] of new URLSearchParams(body)) {
    args[key] = ['blocks', 'attachments', 'metadata'].includes(key) ? (JSON.parse(value) as unknown) : value;
  }
  return args;
}
