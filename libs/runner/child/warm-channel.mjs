// How a warm process talks to its parent: orders come in on stdin, answers leave on fd 3 (frames.mjs).
import fs from 'node:fs';
import { FROM_WARM, FrameReader, TO_WARM, encodeFrame } from './frames.mjs';

const CONTROL_FD = 3;
const PIECE_BYTES = 64 * 1024;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Calls `onRun` with each order. Ends the process when the parent is gone. */
export function receiveOrders(onRun) {
  const frames = new FrameReader((type, _id, payload) => {
    if (type === TO_WARM.run) onRun(JSON.parse(payload.toString()));
  });
  process.stdin.on('data', (chunk) => frames.push(chunk));
  process.stdin.on('end', () => process.exit(0));
  process.stdin.on('error', () => process.exit(0));
  send(FROM_WARM.ready);
}

/** Sends output in the order in which it was written, live even while a task keeps the event loop busy. */
export function sendOutput(stream, bytes) {
  const type = stream === 'out' ? FROM_WARM.stdout : FROM_WARM.stderr;
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) send(type, bytes.subarray(at, at + PIECE_BYTES));
}

export function sendEvent(event) {
  send(FROM_WARM.event, JSON.stringify(event));
}

export function sendDone(done) {
  send(FROM_WARM.done, JSON.stringify(done));
}

function send(type, payload) {
  const frame = encodeFrame(type, 0, payload);
  for (let at = 0; at < frame.length;) {
    try {
      at += fs.writeSync(CONTROL_FD, frame, at);
    } catch (error) {
      if (error.code === 'EPIPE') process.exit(0); // nobody listens any more
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, 1);
    }
  }
}
