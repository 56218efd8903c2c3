import type { CheckResult, MetricPoint } from '#core';
import { maskTorn, type Masker } from './masker.ts';
import type { Message } from './protocol.ts';

const MAX_OUTPUT_BYTES = 256 * 1024;
const MAX_SUMMARY_BYTES = 64 * 1024;
const MAX_METRICS = 10_000;
const MAX_DEPTH = 64;
/** A task that sends nothing but nonsense must not fill its log with our remarks. */
const MAX_REMARKS = 20;
/** Of a longer remark the middle is left out: there is the value, and what was expected stands at the end. */
const MAX_REMARK_CHARS = 240;

export interface FindingsListener {
  progress(done: number, total: number, label: string): void;
  /** A remark for the log. */
  say(text: string): void;
}

/** What an attempt said besides its log: metrics, outputs, summary, the wish for a later retry. Bounded. */
export class Findings {
  readonly metrics: MetricPoint[] = [];
  /** Of checks over rows. */
  readonly checks: CheckResult[] = [];
  retryAfterMs: number | null = null;
  summary: string | null = null;
  /** Why the attempt must fail although it ended well. */
  failure: string | null = null;
  readonly #outputs = new Map<string, unknown>();
  readonly #sizes = new Map<string, number>();
  readonly #listener: FindingsListener;
  readonly #masker: Masker;
  readonly #now: () => number;
  #outputBytes = 0;
  #remarks = 0;

  constructor(listener: FindingsListener, masker: Masker, now: () => number) {
    this.#listener = listener;
    this.#masker = masker;
    this.#now = now;
  }

  /** `fromEntries` and not assignment: a key named `__proto__` is an ordinary key. */
  get outputs(): Record<string, unknown> {
    return Object.fromEntries(this.#outputs);
  }

  add(message: Message, at: number = this.#now()): void {
    switch (message.kind) {
      case 'metric':
        return this.#addMetric({ name: message.name, value: message.value, step: message.step, ts: at });
      case 'output':
        return this.#addOutput(message.key, message.value);
      case 'progress':
        return this.#listener.progress(message.done, message.total, message.label);
      case 'retry-after':
        this.retryAfterMs = message.afterMs;
        return;
      case 'malformed':
        return this.remark(message.reason);
    }
  }

  /** `whole: false` means that only the beginning is known. Masked before it is cut, so that no secret is torn. */
  setSummary(markdown: string, whole = true): void {
    const masked = whole ? this.#masker.mask(markdown) : maskTorn(this.#masker, markdown);
    const bytes = Buffer.byteLength(masked);
    if (bytes > MAX_SUMMARY_BYTES)
      this.remark(`summary of ${bytes} bytes: only the first ${MAX_SUMMARY_BYTES} are kept`);
    this.summary = bytes > MAX_SUMMARY_BYTES ? Buffer.from(masked).subarray(0, MAX_SUMMARY_BYTES).toString() : masked;
  }

  refuseOutputs(bytes: number): void {
    this.failure ??= `the outputs are ${bytes} bytes, at most ${MAX_OUTPUT_BYTES} are allowed; write large results to a path`;
  }

  remark(text: string): void {
    this.#remarks += 1;
    if (this.#remarks < MAX_REMARKS) this.#listener.say(shortened(this.#masker.mask(text)));
    else if (this.#remarks === MAX_REMARKS) this.#listener.say('more remarks like these are left out');
  }

  #addMetric(point: MetricPoint): void {
    if (this.metrics.length < MAX_METRICS) this.metrics.push(point);
    else this.remark(`metric ${point.name}: only the first ${MAX_METRICS} points of an attempt are kept`);
  }

  #addOutput(key: string, value: unknown): void {
    const size = jsonBytes(value);
    if (size === null)
      return this.remark(`output ${key}: expected JSON (at most ${MAX_DEPTH} levels, no loops, no functions)`);
    this.#outputBytes += size + key.length + 4 - (this.#sizes.get(key) ?? 0);
    this.#sizes.set(key, size + key.length + 4);
    if (this.#outputBytes > MAX_OUTPUT_BYTES) this.refuseOutputs(this.#outputBytes);
    else this.#outputs.set(key, value);
  }
}

function shortened(masked: string): string {
  const half = MAX_REMARK_CHARS / 2;
  return masked.length > MAX_REMARK_CHARS ? `${masked.slice(0, half)}…${masked.slice(-half)}` : masked;
}

/** Size as JSON; null when the value is not JSON or too deep for those who read it later. */
function jsonBytes(value: unknown): number | null {
  if (deeperThan(value, MAX_DEPTH)) return null;
  try {
    const json = JSON.stringify(value) as string | undefined;
    return json === undefined ? null : Buffer.byteLength(json);
  } catch {
    return null; // a BigInt, or a toJSON that throws
  }
}

function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((item) => deeperThan(item, levels - 1));
}
