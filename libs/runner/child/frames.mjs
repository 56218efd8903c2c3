// The one framing of every control pipe: u32 length of the payload, u8 type, u32 id, payload (little endian).
// Binary, because output is relayed untouched: JSON would cost an escape of each log byte, twice.
export const HEADER_BYTES = 9;

/** Frame types from the parent to the launcher. */
export const TO_LAUNCHER = { spawn: 1, input: 2, end: 3, closeInput: 4, hold: 5, goOn: 6 };
/** Frame types from the launcher to the parent. `control` holds raw bytes of the process's fd 3. */
export const FROM_LAUNCHER = { started: 1, stdout: 2, stderr: 3, control: 4, exited: 5, refused: 6 };
/** Frame types from the parent to a warm process (through its stdin). Only one with several attempts at a time hears all of them. */
export const TO_WARM = { run: 1, end: 2, hold: 3, goOn: 4 };
/** Frame types from a warm process (through its fd 3). */
export const FROM_WARM = { ready: 1, stdout: 2, stderr: 3, event: 4, done: 5, started: 6 };

export function encodeFrame(type, id, payload) {
  const body = payload === undefined ? Buffer.alloc(0) : Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  frame.writeUInt32LE(body.length, 0);
  frame.writeUInt8(type, 4);
  frame.writeUInt32LE(id, 5);
  body.copy(frame, HEADER_BYTES);
  return frame;
}

/** What a warm process may send at once; the largest that ours do is a web page of 1 MiB as JSON. */
export const MOST_FROM_WARM = 16 * 1024 * 1024;

/**
 * Cuts a byte stream into frames. Payloads are views of the chunks: use them before the next `push`, or copy. `push`
 * throws at a payload of more than `most` bytes; nothing can be read after that.
 */
export class FrameReader {
  #chunks = [];
  #bytes = 0;
  #onFrame;
  #most;

  constructor(onFrame, most = Infinity) {
    this.#onFrame = onFrame;
    this.#most = most;
  }

  push(chunk) {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Joining only once a whole frame is there keeps a payload of many chunks linear.
    while (this.#bytes >= HEADER_BYTES) {
      if (this.#chunks[0].length < HEADER_BYTES) this.#join();
      const length = this.#chunks[0].readUInt32LE(0);
      if (length > this.#most) throw new RangeError(`a message of ${length} bytes, at most ${this.#most} are allowed`);
      const needed = HEADER_BYTES + length;
      if (this.#bytes < needed) return;
      if (this.#chunks[0].length < needed) this.#join();
      const first = this.#chunks[0];
      if (first.length === needed) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(needed);
      this.#bytes -= needed;
      this.#onFrame(first.readUInt8(4), first.readUInt32LE(5), first.subarray(HEADER_BYTES, needed));
    }
  }

  #join() {
    this.#chunks = [Buffer.concat(this.#chunks)];
  }
}
