// Named pipes for the output of processes. Node's own `pipe` is a socket pair, and `echo x > /dev/stderr` fails on a
// socket with ENXIO. One mkfifo makes a batch, and a pipe that reached its end is used again.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const BATCH = 16;

export class OutputPipes {
  #folder;
  #free = [];
  #made = 0;
  #usable = true;

  constructor(folder) {
    this.#folder = folder;
  }

  /** What to pass as `stdio`, and the socket to read; call `spawned` once the child has its end. Falls back to a socket pair. */
  open() {
    if (this.#usable && this.#free.length === 0) this.#make();
    const file = this.#free.pop();
    if (file === undefined) return { stdio: 'pipe', reader: null, file: null };
    const readEnd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const writeEnd = fs.openSync(file, fs.constants.O_WRONLY);
    return { stdio: writeEnd, reader: new net.Socket({ fd: readEnd, readable: true, writable: false }), file };
  }

  /** Closes our copy of the write end: from now on the end of the process is the end of the pipe. */
  spawned(pipe) {
    if (pipe.file !== null) fs.closeSync(pipe.stdio);
  }

  /** A pipe that somebody may still hold is thrown away, so that no stranger writes into the next attempt's log. */
  close(pipe, reachedEnd) {
    if (pipe.file === null) return;
    if (reachedEnd) this.#free.push(pipe.file);
    else fs.rmSync(pipe.file, { force: true });
  }

  #make() {
    const files = Array.from({ length: BATCH }, (_, index) => path.join(this.#folder, `p${this.#made + index}`));
    this.#made += BATCH;
    try {
      fs.mkdirSync(this.#folder, { recursive: true });
      execFileSync('mkfifo', ['-m', '600', '--', ...files], { stdio: 'ignore' });
      this.#free.push(...files);
    } catch {
      this.#usable = false; // no mkfifo here: socket pairs do, except for /dev/stdout and /dev/stderr
    }
  }
}
