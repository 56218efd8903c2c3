import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AssignmentBody } from '#core';
import { evaluate, type Scope } from '#dag';
import { removeTree } from './child/remove-tree.mjs';
import { baseEnvironment } from './environment.ts';
import type { Launcher } from './launcher.ts';
import { cutMasked } from './masker.ts';
import { checkOutput } from './protocol.ts';
import { failed, type AttemptOrder, type Ending, type TaskRunner } from './task-runner.ts';
import { runInWarmProcess } from './warm-attempt.ts';
import type { WarmPool } from './warm-pool.ts';
import { WarmProcess } from './warm-process.ts';

type HttpBody = Extract<AssignmentBody, { kind: 'http' }>;

/** What child/http-worker.mjs found. */
interface Answer {
  readonly status: number;
  readonly expected: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
  /** Null: longer than expressions can see. */
  readonly text: string | null;
}

export interface HttpRunnerOptions {
  readonly launcher: Launcher;
  readonly pool: WarmPool;
  readonly childFolder: string;
  readonly path: string;
  readonly now: () => number;
}

/** `http:` tasks: one request in a process that stays warm per environment; what it means is judged here. */
export class HttpRunner implements TaskRunner {
  readonly #options: HttpRunnerOptions;
  #nextFolder = 1;

  constructor(options: HttpRunnerOptions) {
    this.#options = options;
  }

  async run(order: AttemptOrder): Promise<Ending> {
    const { body, environment } = order.assignment;
    if (body.kind !== 'http') throw new TypeError(`the http runner got a ${body.kind} task`);
    const missing = Object.values(body.secretHeaders).find(({ secret }) => order.secrets[secret] === undefined);
    if (missing !== undefined)
      return failed(
        `there is no secret ${missing.secret} in environments/${environment}.yaml; add it under \`secrets:\``,
      );
    const key = `http\0${environment}`;
    const process = this.#options.pool.take(key, () => this.#start());
    const { ending, answer, reusable } = await runInWarmProcess(process, requestOf(body, order), order);
    this.#options.pool.giveBack(key, process, reusable);
    if (!reusable) await process.gone;
    if (ending === null) return this.run(order);
    return answer === undefined ? ending : this.#judge(answer as Answer, body, order);
  }

  async close(): Promise<void> {
    this.#options.pool.close();
  }

  #start(): WarmProcess {
    const { launcher, childFolder, path } = this.#options;
    const folder = join(launcher.scratchFolder(), `h${this.#nextFolder++}`);
    mkdirSync(folder, { mode: 0o700 });
    const args = [join(childFolder, 'http-worker.mjs')];
    const request = { file: process.execPath, args, cwd: folder, env: baseEnvironment(path, folder) };
    return new WarmProcess(launcher, request, () => void removeTree(folder));
  }

  #judge(answer: Answer, body: HttpBody, order: AttemptOrder): Ending {
    const { status, headers } = answer;
    if (!answer.expected) {
      showBeginning(answer.text ?? '', order);
      const afterMs = deferralOf(answer, this.#options.now());
      const message = `${labelOf(body)} answered ${status}`;
      if (afterMs !== null)
        return { kind: 'outcome', outcome: { kind: 'deferred', afterMs, message: `${message}: try again later` } };
      const expected = body.status.length === 0 ? '200 to 299' : body.status.join(' or ');
      return failed(`${message}; expected ${expected}`);
    }
    const scope = { ...body.scope, response: { status, headers, body: bodyOf(answer) } } as unknown as Scope;
    const tooLong = answer.text === null ? ` (it has ${answer.bytes} bytes; expressions see at most 1 MiB)` : '';
    if (body.expr !== null) {
      const verdict = evaluate(body.expr, scope);
      if (!verdict.ok || verdict.value !== true) {
        showBeginning(answer.text ?? '', order);
        const why = verdict.ok ? `does not hold: \`${body.expr}\`` : `cannot be judged: ${verdict.message}`;
        return failed(`what ${labelOf(body)} answered ${why}${tooLong}`);
      }
    }
    const outputs = Object.keys(body.outputs).length === 0 ? { status: 'response.status' } : body.outputs;
    for (const [name, expr] of Object.entries(outputs)) {
      const value = evaluate(expr, scope);
      if (!value.ok) return failed(`output ${name}: ${value.message}${tooLong}`);
      order.findings.add(checkOutput(name, value.value));
    }
    return { kind: 'outcome', outcome: { kind: 'success' } };
  }
}

function requestOf(body: HttpBody, { secrets, folders, assignment }: AttemptOrder): object {
  const { method, url, content, status, save } = body;
  const secretHeaders = Object.entries(body.secretHeaders).map(
    ([name, { secret, prefix }]) => [name, `${prefix}${(secrets[secret] ?? '').trim()}`] as const,
  );
  const type = body.isJson === true ? { 'content-type': 'application/json' } : {};
  const saved = assignment.writes.find(({ name }) => name === save?.path);
  return {
    method,
    url,
    content,
    headers: { ...type, ...body.headers, ...Object.fromEntries(secretHeaders) },
    accepted: status,
    saveTo: save === null || saved === undefined ? null : join(folders[saved.variable]!, save.file),
    timeoutMs: body.requestTimeoutMs,
  };
}

const DEFER_MS = 60_000;
const LONGEST_MS = 24 * 3_600_000;

/** How long the other side asks us to wait: after 429, or after a 5xx that says it; null: the request has failed. */
function deferralOf({ status, headers }: Answer, now: number): number | null {
  const header = headers['retry-after']?.trim();
  const busy = status === 429 || (status >= 500 && header !== undefined);
  if (!busy) return null;
  const ms = header === undefined ? NaN : /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? DEFER_MS : Math.min(Math.max(0, ms), LONGEST_MS);
}

function bodyOf({ text }: Answer): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not JSON: an expression sees the text.
    return text;
  }
}

const SHOWN_CHARS = 2_000;

/** Into the log, where secrets are masked, not into the message. */
function showBeginning(text: string, { log, masker }: AttemptOrder): void {
  if (text === '') return;
  void log.output('err', Buffer.from(`${cutMasked(masker, text, SHOWN_CHARS)}\n`));
}

function labelOf({ method, url }: HttpBody): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}
