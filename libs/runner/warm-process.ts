import { FROM_WARM, FrameReader, MOST_FROM_WARM, TO_WARM, encodeFrame } from './child/frames.mjs';
import type { CheckResult } from '#core';
import { heldBy, processesUnder, readProcesses } from './process-memory.ts';
import type { LaunchedProcess, Launcher, LaunchRequest, ProcessEnd } from './launcher.ts';

/** What a warm process says about the attempt it runs. */
export interface WarmListener {
  started(pid: number): void;
  /** As `LaunchListener.output`. */
  output(stream: 'out' | 'err', chunk: Buffer): Promise<void> | null;
  event(event: WarmEvent): void;
  /** Called exactly once: with what the process answered, or with how it ended instead. */
  done(done: WarmDone | ProcessEnd): void;
}

export type WarmEvent =
  | { readonly type: 'metric'; readonly name: unknown; readonly value: unknown; readonly step?: unknown }
  | { readonly type: 'output'; readonly name: unknown; readonly value: unknown }
  | { readonly type: 'progress'; readonly done: unknown; readonly total: unknown; readonly label: string }
  | { readonly type: 'summary'; readonly markdown: string }
  /** Of a worker that looks at tables. */
  | { readonly type: 'check'; readonly result: CheckResult };

export type WarmDone = (
  | {
      readonly kind: 'success';
      readonly outputs: Record<string, unknown>;
      readonly tooLarge?: number;
      readonly answer?: unknown;
    }
  | {
      readonly kind: 'failed';
      readonly message: string;
      /** What follows the message, however long that is. */
      readonly place?: string;
      readonly reusable?: boolean;
    }
  | { readonly kind: 'skipped'; readonly message: string }
  | { readonly kind: 'deferred'; readonly afterMs: unknown; readonly message: string }
  /** An error that an earlier attempt left behind ended the process. */
  | { readonly kind: 'disturbed'; readonly message: string }
  /** The same, before the process had taken this attempt's order: nothing of it ran. */
  | { readonly kind: 'unserved' }
) & {
  /** The attempt used its scratch folder. */
  readonly scratch?: boolean;
};

/** A process that serves attempts one after the other: orders on its stdin, answers on its fd 3. */
export class WarmProcess {
  /** Attempts begun so far. */
  attempts = 0;
  /** Resolves when the process has ended, and all its group with it. */
  readonly gone: Promise<void>;
  readonly #process: LaunchedProcess;
  #listener: WarmListener | null = null;
  #pid: number | null = null;
  #end: ProcessEnd | null = null;
  #ending = false;
  #unreadable = false;
  /** Who heard output of the chunk that is read now does not keep up until then. */
  #behind: Promise<void> | null = null;
  #onGone: () => void = () => undefined;

  constructor(launcher: Launcher, request: Omit<LaunchRequest, 'input' | 'control'>, onEnd: () => void) {
    this.gone = new Promise((resolve) => {
      this.#onGone = () => {
        onEnd();
        resolve();
      };
    });
    const frames = new FrameReader((type, _id, payload) => this.#receive(type, payload), MOST_FROM_WARM);
    this.#process = launcher.launch(
      { ...request, input: true, control: true },
      {
        started: (pid) => {
          this.#pid = pid;
          this.#listener?.started(pid);
        },
        output: (stream, chunk) => this.#listener?.output(stream, chunk) ?? null,
        control: (chunk) => this.#hear(frames, chunk),
        ended: (end) => this.#ended(end),
      },
    );
  }

  get alive(): boolean {
    return this.#end === null && !this.#ending;
  }

  /** Bytes of memory; asked between attempts. */
  holdsLessThan(most: number): boolean {
    return most === Infinity || this.#pid === null || heldBy(processesUnder(this.#pid, readProcesses())) < most;
  }

  run(order: object, listener: WarmListener): void {
    this.attempts += 1;
    this.#listener = listener;
    if (this.#end !== null) return this.#ended(this.#end);
    if (this.#pid !== null) listener.started(this.#pid);
    this.#process.write(encodeFrame(TO_WARM.run, 0, JSON.stringify(order)));
  }

  /** TERM, then KILL after `graceMs`; the attempt that runs hears how the process ended. */
  end(graceMs: number): void {
    if (this.#end === null) this.#process.end(graceMs);
  }

  /** A task can write there, too: whatever it is must end the attempt and its process, not us. */
  #hear(frames: FrameReader, chunk: Buffer): Promise<void> | null {
    if (this.#unreadable) return null;
    this.#behind = null;
    try {
      frames.push(chunk);
    } catch (error) {
      this.#unreadable = this.#ending = true;
      this.end(0);
      const listener = this.#listener;
      this.#listener = null;
      const reason = error instanceof Error ? error.message : String(error);
      const message = `what came through file descriptor 3, which tasks must leave alone, cannot be read: ${reason}`;
      listener?.done({ kind: 'failed', message });
    }
    return this.#behind;
  }

  #receive(type: number, payload: Buffer): void {
    const listener = this.#listener;
    if (listener === null) {
      // Output of code that outlived its attempt is dropped; an error of such code means that the process is ending.
      if (type === FROM_WARM.done) this.#ending = true;
      return;
    }
    if (type === FROM_WARM.stdout) this.#behind = listener.output('out', payload) ?? this.#behind;
    else if (type === FROM_WARM.stderr) this.#behind = listener.output('err', payload) ?? this.#behind;
    else if (type === FROM_WARM.event) listener.event(JSON.parse(payload.toString()) as WarmEvent);
    else if (type === FROM_WARM.done) {
      const done: unknown = JSON.parse(payload.toString());
      if (!isDone(done)) throw new TypeError('an end of no known kind');
      this.#listener = null;
      listener.done(done);
    }
  }

  #ended(end: ProcessEnd): void {
    const listener = this.#listener;
    if (this.#end === null) {
      this.#end = end;
      this.#onGone();
    }
    this.#listener = null;
    listener?.done(end);
  }
}

function isDone(value: unknown): value is WarmDone {
  const { kind, outputs, message } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (kind === 'success') return typeof outputs === 'object' && outputs !== null;
  if (kind === 'unserved') return true;
  return ['failed', 'skipped', 'deferred', 'disturbed'].includes(String(kind)) && typeof message === 'string';
}
