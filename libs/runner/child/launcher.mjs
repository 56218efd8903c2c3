// A small process that starts every other process for its parent. fork copies page tables: from a parent of 1 GiB it
// blocks the event loop for 44 ms, from here for 1.5 ms. It talks frames (frames.mjs) on stdin and stdout; when stdin
// ends, the parent is dead: everything that was started is killed at once.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { FROM_LAUNCHER, FrameReader, TO_LAUNCHER, encodeFrame } from './frames.mjs';
import { OutputPipes } from './output-pipes.mjs';
import { killGroup, killMarked, readProcessFile, startTicks } from './process-file.mjs';
import { removeTreeSync } from './remove-tree.mjs';

/** Output still open so long after the end of a process: something left its group and is hunted down. */
const STRAGGLER_MS = 50;
/** And so long after that the pipe is let go, whoever holds it. */
const GIVE_UP_MS = 500;
const REWRITE_BYTES = 256 * 1024;
/** Of its own accord V8 collects buffers that were relayed when there are 32 MiB of them, as much as all else that we hold. */
const COLLECT_BYTES = 2 * 1024 * 1024;

const options = JSON.parse(process.argv[2]);
const processes = new Map();
const pipes = new OutputPipes(options.pipeFolder);
const record = fs.openSync(options.processFile, 'a');
let recordBytes = 0;

process.umask(0o077);
// The parent decides when to end: a Ctrl-C in the terminal or a TERM to the whole service reaches it too.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

const frames = new FrameReader((type, id, payload) => {
  if (type === TO_LAUNCHER.spawn) start(id, JSON.parse(payload.toString()));
  else if (type === TO_LAUNCHER.input) processes.get(id)?.child.stdin?.write(Buffer.from(payload));
  else if (type === TO_LAUNCHER.closeInput) processes.get(id)?.child.stdin?.end();
  else if (type === TO_LAUNCHER.end) end(id, JSON.parse(payload.toString()).graceMs);
  else if (type === TO_LAUNCHER.hold) hold(processes.get(id), true);
  else if (type === TO_LAUNCHER.goOn) hold(processes.get(id), false);
});
process.stdin.on('data', (chunk) => frames.push(chunk));
process.stdin.on('end', parentDied);
process.stdin.on('error', parentDied);
process.stdout.on('error', parentDied);
process.stdout.on('drain', () => setBehind(false));

function start(id, { file, args, cwd, env, input, control }) {
  const out = pipes.open();
  const err = pipes.open();
  let child;
  try {
    child = spawn(file, args, {
      cwd,
      env: { ...env, SLUICE_PROCESS: `${options.marker}.${id}` },
      detached: true, // its own session and process group
      stdio: [input ? 'pipe' : 'ignore', out.stdio, err.stdio, ...(control ? ['pipe'] : [])],
    });
  } catch (error) {
    refuse(id, out, err, error);
    return;
  }
  if (child.pid === undefined) {
    child.on('error', (error) => refuse(id, out, err, error));
    return;
  }
  child.on('error', () => {}); // a failed kill or a closed stdin; the exit event tells the rest
  child.stdin?.on('error', () => {});
  const entry = {
    id,
    child,
    out,
    err,
    streams: [],
    open: 0,
    exit: null,
    ending: false,
    killAt: Infinity,
    held: false,
    timer: null,
  };
  processes.set(id, entry);
  remember(`+ ${child.pid} ${startTicks(child.pid) ?? '?'}\n`);
  pipes.spawned(out);
  pipes.spawned(err);
  send(FROM_LAUNCHER.started, id, JSON.stringify({ pid: child.pid }));
  relay(entry, out.reader ?? child.stdout, FROM_LAUNCHER.stdout);
  relay(entry, err.reader ?? child.stderr, FROM_LAUNCHER.stderr);
  if (control) relay(entry, child.stdio[3], FROM_LAUNCHER.control);
  child.on('exit', (code, signal) => {
    entry.exit = { code, signal };
    clearTimeout(entry.timer);
    // What is left in its pipes is little, and is read now.
    hold(entry, false);
    // What the leader left behind in its group ends with it.
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // nobody left, the usual case
    }
    // Whoever was ended from outside may have hidden; otherwise only an open pipe is worth a walk through /proc.
    if (entry.ending) killStragglers(entry);
    if (entry.open === 0) finish(entry);
    else entry.timer = setTimeout(() => killStragglers(entry), STRAGGLER_MS);
  });
}

function relay(entry, stream, type) {
  entry.open += 1;
  const state = { stream, ended: false };
  entry.streams.push(state);
  stream.on('data', (chunk) => {
    if (type === FROM_LAUNCHER.control) sendLast(type, entry.id, chunk);
    else send(type, entry.id, chunk);
  });
  stream.on('error', () => {});
  stream.on('close', () => {
    state.ended = true;
    entry.open -= 1;
    if (entry.open === 0 && entry.exit !== null) finish(entry);
  });
}

function killStragglers(entry) {
  killMarked(`${options.marker}.${entry.id}`);
  giveUpLater(entry);
}
/** Not while nothing is read: then there may be output of the process itself that nobody has heard yet. */
function giveUpLater(entry) {
  clearTimeout(entry.timer);
  entry.timer = setTimeout(() => (behind ? giveUpLater(entry) : finish(entry)), GIVE_UP_MS);
}

function finish(entry) {
  clearTimeout(entry.timer);
  if (!processes.delete(entry.id)) return;
  for (const [pipe, state] of [
    [entry.out, entry.streams[0]],
    [entry.err, entry.streams[1]],
  ]) {
    pipes.close(pipe, state.ended);
    if (!state.ended) state.stream.destroy();
  }
  remember(`- ${entry.child.pid}\n`);
  sendLast(FROM_LAUNCHER.exited, entry.id, JSON.stringify(entry.exit));
  // Only when nothing runs may the record start over: a zygote's children stand in files of their own.
  if (processes.size === 0 && recordBytes > REWRITE_BYTES) restartRecord();
}

/** TERM to the whole group, KILL after the grace period. Asking again may only shorten it. */
function end(id, graceMs) {
  const entry = processes.get(id);
  if (entry === undefined || entry.exit !== null) return;
  entry.ending = true;
  const signal = (name) => {
    try {
      process.kill(-entry.child.pid, name);
    } catch {
      // gone meanwhile: the exit event follows
    }
  };
  if (graceMs <= 0) return signal('SIGKILL');
  signal('SIGTERM');
  const killAt = performance.now() + graceMs;
  if (killAt >= entry.killAt) return;
  entry.killAt = killAt;
  clearTimeout(entry.timer);
  entry.timer = setTimeout(() => signal('SIGKILL'), graceMs);
}

function refuse(id, out, err, error) {
  for (const pipe of [out, err]) {
    pipes.spawned(pipe);
    pipe.reader?.destroy();
    pipes.close(pipe, false);
  }
  send(FROM_LAUNCHER.refused, id, JSON.stringify({ code: error.code ?? '', message: error.message }));
}

// Frames of one turn of the event loop leave in one write.
let waiting = [];
let last = [];
let uncollected = 0;
function send(type, id, payload, queue = waiting) {
  if (waiting.length + last.length === 0) setImmediate(flush);
  queue.push(encodeFrame(type, id, payload));
}
/**
 * After the output of the same turn: the barrier between attempts. What a task wrote to stdout before its process said that
 * it is done stood in the pipe by then; the pipe is read in this turn as well, and whole, since a read takes what a pipe holds.
 */
function sendLast(type, id, payload) {
  send(type, id, payload, last);
}
function flush() {
  const frames = [...waiting, ...last];
  const batch = frames.length === 1 ? frames[0] : Buffer.concat(frames);
  waiting = [];
  last = [];
  if (!process.stdout.write(batch)) setBehind(true);
  uncollected += batch.length;
  if (uncollected < COLLECT_BYTES) return;
  uncollected = 0;
  globalThis.gc({ type: 'minor' });
}
/** A parent that does not keep up stops the output of the tasks, instead of filling our memory. */
let behind = false;
function setBehind(is) {
  behind = is;
  for (const entry of processes.values()) flow(entry);
}
/** One process's output waits in its pipes, and the process with it when they are full. */
function hold(entry, is) {
  if (entry === undefined) return;
  entry.held = is && entry.exit === null;
  flow(entry);
}
function flow({ streams, held }) {
  for (const { stream } of streams) behind || held ? stream.pause() : stream.resume();
}

function remember(line) {
  fs.writeSync(record, line);
  recordBytes += line.length;
}
function restartRecord() {
  const [header] = fs.readFileSync(options.processFile, 'utf8').split('\n', 1);
  fs.ftruncateSync(record, 0);
  fs.writeSync(record, `${header}\n`);
  recordBytes = 0;
}

function parentDied() {
  for (const { child } of processes.values()) {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // already gone
    }
  }
  // Groups that warm processes forked stand in the other files of this executor.
  for (const file of listRecords()) {
    try {
      for (const [pid, start] of readProcessFile(file).groups) killGroup(pid, start);
    } catch {
      // half written or gone: the markers below find the rest
    }
  }
  killMarked(options.marker);
  for (const file of listRecords()) fs.rmSync(file, { force: true });
  removeTreeSync(options.scratchFolder);
  process.exit(0);
}
function listRecords() {
  const prefix = options.processFile.replace(/[^/]*$/, '');
  return fs
    .readdirSync(prefix)
    .filter((name) => name.startsWith(`${options.marker}.`))
    .map((name) => prefix + name);
}
