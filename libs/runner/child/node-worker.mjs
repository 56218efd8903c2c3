// A warm process for `node:` tasks. It serves one (environment, release, file), one attempt at a time: the file stays
// loaded, everything that differs between attempts comes in `ctx`. See pipeline-file.md, "What an attempt sees".
import { AsyncLocalStorage } from 'node:async_hooks';
import { register } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { AttemptContext, Deferral, Skip } from './node-context.mjs';
import { pluginFile } from './plugin-file.mjs';
import { receiveOrders, sendDone, sendEvent, sendOutput } from './warm-channel.mjs';

const { releaseDir, moduleRoot, projectDir } = JSON.parse(process.argv[2]);
const MAX_RESULT_CHARS = 1024 * 1024;
/** Far more than is kept: secrets are masked before the rest is cut off. */
const MAX_MESSAGE_CHARS = 64 * 1024;
const PLACES = { releaseDir, moduleRoot: projectDir };
const TYPESCRIPT = /\.[cm]?tsx?$/;

/** Which attempt a piece of asynchronous code belongs to: what an earlier one still does is not heard any more. */
const owner = new AsyncLocalStorage();
let current = null;

captureStream(process.stdout, 'out');
captureStream(process.stderr, 'err');
if (moduleRoot !== null) {
  register('./module-fallback.mjs', import.meta.url, { data: { parent: pathToFileURL(`${moduleRoot}/_`).href } });
}
let typescript = false;

process.on('SIGTERM', () => {
  // Only a task that looks at ctx.signal can end by itself.
  if (current?.context.wantsSignal) current.context.abort();
  else process.exit(143);
});
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => {
    const from = owner.getStore();
    if (current === null) sendDone({ kind: 'unserved' });
    else if (from !== undefined && from !== current) finish(current, { kind: 'disturbed', message: String(error) });
    else finish(current, failure(error));
    process.exit(1);
  });
}
receiveOrders((order) => void runAttempt(order));

async function runAttempt(order) {
  const attempt = { context: new AttemptContext(order, (event) => current === attempt && sendEvent(event)) };
  current = attempt;
  const done = await owner.run(attempt, () => perform(order, attempt.context.ctx));
  finish(attempt, done);
  if (attempt.context.aborted) process.exit(143);
}

async function perform(order, ctx) {
  try {
    const file = order.plugin === undefined ? path.join(releaseDir, order.file) : pluginFile(order.plugin, PLACES);
    const task = await loadFunction(file, order.export, order.file);
    return success(await task(ctx, order.plugin?.input));
  } catch (error) {
    if (error instanceof Skip) return { kind: 'skipped', message: error.message };
    if (error instanceof Deferral) return { kind: 'deferred', afterMs: error.afterMs, message: error.message };
    return failure(error);
  }
}

function finish(attempt, done) {
  if (current !== attempt) return;
  sendDone(attempt.context.madeScratch ? { ...done, scratch: true } : done);
  current = null;
}

/** Modules by file: `import` of what is loaded already still costs a resolution. */
const modules = new Map();

async function loadFunction(file, name, shown) {
  if (!modules.has(file)) {
    const url = pathToFileURL(file).href;
    modules.set(file, await load(url, TYPESCRIPT.test(file)));
  }
  const module = modules.get(file);
  const found = module[name] ?? module.default?.[name];
  if (typeof found === 'function') return found;
  const exported = Object.keys(module).join(', ') || 'nothing';
  throw new TypeError(`${shown} has no exported function "${name}" (it exports: ${exported})`);
}

async function load(url, needsTypescript) {
  if (needsTypescript) await supportTypescript();
  try {
    return await import(url);
  } catch (error) {
    // A JavaScript file that imports a TypeScript one. The query makes Node look at the failed module again.
    if (error.code !== 'ERR_UNKNOWN_FILE_EXTENSION' || typescript) throw error;
    await supportTypescript();
    return import(`${url}?typescript`);
  }
}

async function supportTypescript() {
  if (typescript) return;
  typescript = true;
  process.setSourceMapsEnabled(true);
  // Both loaders: without a package.json that says `module`, Node hands a .ts file to the older one.
  const [cjs, esm] = await Promise.all([import('tsx/cjs/api'), import('tsx/esm/api')]);
  cjs.register();
  esm.register();
}

function success(value) {
  if (value === undefined || value === null) return { kind: 'success', outputs: {} };
  const prototype = Object.getPrototypeOf(value);
  if (typeof value !== 'object' || (prototype !== Object.prototype && prototype !== null))
    return {
      kind: 'failed',
      message: `the function returned ${describe(value)}: expected an object of outputs, or nothing`,
    };
  const json = JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? plainNumber(item) : item));
  if (json.length > MAX_RESULT_CHARS) return { kind: 'success', outputs: {}, tooLarge: json.length };
  return { kind: 'success', outputs: JSON.parse(json) };
}

function plainNumber(value) {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function describe(value) {
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? `a ${value.constructor?.name ?? 'strange object'}` : `a ${typeof value}`;
}

function failure(error) {
  const text = error instanceof Error ? (error.stack ?? String(error)) : `thrown: ${String(error)}`;
  sendOutput('err', Buffer.from(`${text}${causeOf(error)}\n`));
  const first = error instanceof Error ? `${error.name}: ${error.message}` : text;
  return { kind: 'failed', message: first.split('\n')[0].slice(0, MAX_MESSAGE_CHARS), place: placeOf(text) };
}

function causeOf(error) {
  return error instanceof Error && error.cause instanceof Error ? `\ncaused by ${error.cause.stack}` : '';
}

/** ` (churn/evaluate.mjs:12:5)`: the innermost place in the user's own files. */
function placeOf(stack) {
  const root = pathToFileURL(releaseDir).href;
  for (const line of stack.split('\n')) {
    const match = /(file:\/\/[^\s)]+|\/[^\s)]+):(\d+:\d+)\)?$/.exec(line);
    if (match === null) continue;
    for (const prefix of [`${root}/`, `${releaseDir}/`])
      if (match[1].startsWith(prefix)) return ` (${match[1].slice(prefix.length).replace(/\?.*$/, '')}:${match[2]})`;
  }
  return '';
}

function captureStream(stream, name) {
  stream.write = (chunk, encoding, callback) => {
    const done = typeof encoding === 'function' ? encoding : callback;
    const from = owner.getStore();
    if (current !== null && (from === undefined || from === current)) {
      sendOutput(
        name,
        typeof chunk === 'string' ? Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8') : chunk,
      );
    }
    if (done) process.nextTick(done);
    return true;
  };
}
