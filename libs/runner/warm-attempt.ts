import type { Findings } from './findings.ts';
import type { ProcessEnd } from './launcher.ts';
import { parseDuration } from './duration.ts';
import { cutMasked, MAX_REASON_CHARS } from './masker.ts';
import { checkMetric, checkOutput, checkProgress } from './protocol.ts';
import { failed, type AttemptOrder, type EndReason, type Ending } from './task-runner.ts';
import type { WarmDone, WarmEvent, WarmProcess } from './warm-process.ts';

const DEFER_MS = 60_000;

export interface WarmEnding {
  /** Null: the process ended before it took the order; nothing ran, another process may be asked. */
  readonly ending: Ending | null;
  /** What the process found, for a runner that judges it itself. */
  readonly answer: unknown;
  /** Whether the process may serve another attempt: not after an error, nobody knows what state it left. */
  readonly reusable: boolean;
  /** Whether there may be a scratch folder to remove. */
  readonly scratch: boolean;
}

/** Runs one attempt in a warm process. When the attempt is ended from outside, resolves once the process is gone. */
export async function runInWarmProcess(
  process: WarmProcess,
  request: object,
  order: AttemptOrder,
): Promise<WarmEnding> {
  const { log, findings, signal } = order;
  const stop = (): void => process.end((signal.reason as EndReason).graceMs);
  signal.addEventListener('abort', stop);
  const done = await new Promise<WarmDone | ProcessEnd>((resolve) => {
    process.run(request, {
      started: order.started,
      output: (stream, chunk) => log.output(stream, chunk),
      event: (event) => addEvent(event, findings),
      done: resolve,
    });
    if (signal.aborted) stop();
  });
  signal.removeEventListener('abort', stop);
  if (signal.aborted) process.end(0);
  const answered = done.kind !== 'exited' && done.kind !== 'refused' && done.kind !== 'lost';
  return {
    ending: endingOf(done, order),
    answer: done.kind === 'success' ? done.answer : undefined,
    reusable: !signal.aborted && mayServeAgain(done),
    scratch: answered ? done.scratch === true : true,
  };
}

function mayServeAgain(done: WarmDone | ProcessEnd): boolean {
  if (done.kind === 'failed') return done.reusable === true;
  return done.kind === 'success' || done.kind === 'skipped' || done.kind === 'deferred';
}

function addEvent(event: WarmEvent, findings: Findings): void {
  switch (event.type) {
    case 'metric':
      return findings.add(checkMetric(event.name, event.value, event.step));
    case 'output':
      return findings.add(checkOutput(event.name, event.value));
    case 'progress':
      return findings.add(checkProgress(event.done, event.total, event.label));
    case 'summary':
      return findings.setSummary(event.markdown);
    case 'check':
      return void findings.checks.push(event.result);
  }
}

function endingOf(done: WarmDone | ProcessEnd, { findings, masker }: AttemptOrder): Ending | null {
  switch (done.kind) {
    case 'success':
      for (const [key, value] of Object.entries(done.outputs)) findings.add(checkOutput(key, value));
      if (done.tooLarge !== undefined) findings.refuseOutputs(done.tooLarge);
      return { kind: 'outcome', outcome: { kind: 'success' } };
    case 'failed':
      return failed(`${cutMasked(masker, done.message, MAX_REASON_CHARS)}${done.place ?? ''}`);
    case 'skipped':
      return { kind: 'outcome', outcome: { kind: 'skipped', message: done.message } };
    case 'deferred': {
      const afterMs = parseDuration(String(done.afterMs)) ?? DEFER_MS;
      return { kind: 'outcome', outcome: { kind: 'deferred', afterMs, message: done.message } };
    }
    case 'disturbed':
      return lost(`an error that an earlier attempt left behind ended the process: ${done.message}`);
    case 'unserved':
      return null;
    case 'exited':
      return done.code === 0 ? failed('the process exited with code 0 before the task was done') : done;
    case 'refused':
      return failed(`the process could not be started: ${done.message}`);
    case 'lost':
      return lost('the launcher process died');
  }
}

function lost(message: string): Ending {
  return { kind: 'outcome', outcome: { kind: 'lost', message } };
}
