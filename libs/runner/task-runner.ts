import type { Assignment, Outcome } from '#core';
import type { ProcessLog } from './attempt-log.ts';
import type { Findings } from './findings.ts';
import type { Masker } from './masker.ts';
import type { ReleaseFolder } from './release-folders.ts';

/** Runs the body of an attempt; one per kind of task. */
export interface TaskRunner {
  /** Resolves once nothing of the attempt runs any more. When `order.signal` aborts it ends the process and resolves. */
  run(order: AttemptOrder): Promise<Ending>;
  /** Lets go of warm processes. */
  close(): Promise<void>;
}

/** Everything that a task runner needs to run one attempt. */
export interface AttemptOrder {
  readonly assignment: Assignment;
  readonly release: ReleaseFolder;
  /** Absolute folders by variable (`PATH_RAW`). */
  readonly folders: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly masker: Masker;
  readonly log: ProcessLog;
  readonly findings: Findings;
  /** Its `reason` is an `EndReason`. */
  readonly signal: AbortSignal;
  /** Keeps a file for people beside the attempt's log; secrets in it are the runner's matter. */
  readonly keep: (name: string, content: Buffer) => Promise<void>;
  /** Called once, when the process that runs the attempt is known. */
  readonly started: (pid: number) => void;
}

/** Why a running attempt is ended from outside, and how long TERM may take before KILL. */
export interface EndReason {
  readonly outcome: Extract<Outcome, { kind: 'timed_out' | 'cancelled' | 'lost' | 'failed' }>;
  readonly graceMs: number;
}

/** How a body ended: as a process does, or as a value when the runner knows better. */
export type Ending =
  | { readonly kind: 'exited'; readonly code: number | null; readonly signal: string | null }
  | { readonly kind: 'outcome'; readonly outcome: Outcome };

export function failed(message: string, exitCode: number | null = null): Ending {
  return { kind: 'outcome', outcome: { kind: 'failed', exitCode, message } };
}

const SKIP_CODE = 99;
const DEFER_CODE = 75;
const DEFER_MS = 60_000;

/** The meaning of an exit: 0 success, 99 skipped, 75 (or any failure after `::retry-after::`) deferred, others failed. */
export function outcomeOf(ending: Ending, retryAfterMs: number | null): Outcome {
  if (ending.kind === 'outcome') return ending.outcome;
  const { code, signal } = ending;
  if (code === 0) return { kind: 'success' };
  if (code === SKIP_CODE) return { kind: 'skipped', message: 'exit code 99: the task skipped itself' };
  if (code === DEFER_CODE || retryAfterMs !== null)
    return {
      kind: 'deferred',
      afterMs: retryAfterMs ?? DEFER_MS,
      message: `${describeExit(code, signal)}: try again later`,
    };
  return { kind: 'failed', exitCode: code, message: describeExit(code, signal) };
}

/** What is ended from here has a reason of its own. */
const KILLED = 'SIGKILL, and not by Sluice: most likely by the kernel, out of memory, which its log (dmesg) would say';
const SIGNALS: Readonly<Record<number, string>> = {
  130: 'SIGINT',
  134: 'SIGABRT',
  139: 'SIGSEGV',
  141: 'SIGPIPE',
  143: 'SIGTERM',
};

function describeExit(code: number | null, signal: string | null): string {
  if (code === null) return signal === 'SIGKILL' ? `ended by ${KILLED}` : `ended by ${signal ?? 'a signal'}`;
  if (code === 127) return 'exit code 127 (command not found)';
  if (code === 126) return 'exit code 126 (command not executable)';
  const name = code === 137 ? KILLED : SIGNALS[code];
  return name === undefined ? `exit code ${code}` : `exit code ${code} (a command was ended by ${name})`;
}
