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

/** One attempt: what its function gets, and what became of it. */
export class AttemptContext {
  ctx;
  madeScratch = false;
  wantsSignal = false;
  aborted = false;
  #scratch;
  #controller = null;

  constructor(order, emit) {
    this.#scratch = order.scratch;
    this.ctx = new TaskContext(this, order, emit);
  }

  scratch() {
    this.madeScratch = true;
    fs.mkdirSync(this.#scratch, { recursive: true, mode: 0o700 });
    return this.#scratch;
  }

  signal() {
    this.wantsSignal = true;
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  abort() {
    this.aborted = true;
    this.#controller?.abort(new Error('the attempt was cancelled or timed out'));
  }
}

// A class whose getters stand in its prototype: with getters of its own each object gets a shape of its own, and every
// property of it costs a look-up, five times as much as all else that is done for a function that does nothing.
class TaskContext {
  #attempt;

  constructor(attempt, order, emit) {
    this.#attempt = attempt;
    Object.assign(this, order.context);
    this.attempt = order.attempt;
    this.env = order.env;
    this.paths = order.paths;
    this.out = order.out;
    this.secrets = order.secrets;
    this.releaseDir = order.releaseDir;
    this.log = (...values) => console.log(...values);
    this.metric = (name, value, step) => emit({ type: 'metric', name, value: showable(value), step });
    this.output = (name, value) => emit({ type: 'output', name, value: jsonable(value) });
    this.progress = (done, total, label = '') => emit({ type: 'progress', done, total, label: String(label) });
    this.summary = (markdown) => emit({ type: 'summary', markdown: String(markdown).slice(0, 256 * 1024) });
    this.skip = skip;
    this.retryAfter = retryAfter;
  }

  get scratch() {
    return this.#attempt.scratch();
  }

  get signal() {
    return this.#attempt.signal();
  }
}

function skip(message = 'the task skipped itself') {
  throw new Skip(message);
}

function retryAfter(duration, message = 'try again later') {
  throw new Deferral(duration, message);
}

/** JSON has no NaN: as text it reaches the check that refuses it by name. */
function showable(value) {
  return typeof value === 'number' && Number.isFinite(value) ? value : String(value);
}

function jsonable(value) {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return value === undefined ? null : value;
}
