// What a function of a `node:` task gets as its only argument.
import fs from 'node:fs';

/** Thrown by ctx.skip and ctx.retryAfter; the worker turns them into outcomes. */
export class Skip extends Error {}
export class Deferral extends Error {
  constructor(afterMs, message) {
    super(message);
    this.afterMs = afterMs;
  }
}

export function createContext(order, emit) {
  const controller = new AbortController();
  let signalSeen = false;
  let scratchMade = false;
  const ctx = {
    ...order.context,
    attempt: order.attempt,
    env: order.env,
    paths: order.paths,
    out: order.out,
    secrets: order.secrets,
    releaseDir: order.releaseDir,
    get scratch() {
      scratchMade = true;
      fs.mkdirSync(order.scratch, { recursive: true, mode: 0o700 });
      return order.scratch;
    },
    get signal() {
      signalSeen = true;
      return controller.signal;
    },
    log: (...values) => console.log(...values),
    metric: (name, value, step) => emit({ type: 'metric', name, value: showable(value), step }),
    output: (name, value) => emit({ type: 'output', name, value: jsonable(value) }),
    progress: (done, total, label = '') => emit({ type: 'progress', done, total, label: String(label) }),
    summary: (markdown) => emit({ type: 'summary', markdown: String(markdown).slice(0, 256 * 1024) }),
    skip: (message = 'the task skipped itself') => {
      throw new Skip(message);
    },
    retryAfter: (duration, message = 'try again later') => {
      throw new Deferral(duration, message);
    },
  };
  return {
    ctx,
    madeScratch: () => scratchMade,
    wantsSignal: () => signalSeen,
    aborted: () => controller.signal.aborted,
    abort: () => controller.abort(new Error('the attempt was cancelled or timed out')),
  };
}

/** JSON has no NaN: as text it reaches the check that refuses it by name. */
function showable(value) {
  return typeof value === 'number' && Number.isFinite(value) ? value : String(value);
}

function jsonable(value) {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return value === undefined ? null : value;
}
