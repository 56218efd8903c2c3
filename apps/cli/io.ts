/** One side of the terminal. */
export interface Sink {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Width and height in characters; meaningless unless it is a terminal. */
  readonly columns: number;
  readonly rows: number;
}

/** Everything a command may know about its surroundings; tests pass their own. */
export interface Io {
  readonly out: Sink;
  readonly err: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly interrupt: Interrupt;
  now(): Date;
}

/** Ctrl-C. A command that has something to put in order takes it over; every other one ends at once. */
export class Interrupt {
  readonly #controller = new AbortController();
  #taken = false;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isTaken(): boolean {
    return this.#taken;
  }

  /** From now on the caller ends by itself when the returned signal aborts. */
  take(): AbortSignal {
    this.#taken = true;
    return this.signal;
  }

  fire(): void {
    this.#controller.abort();
  }
}

/** The real terminal of this process. */
export function processIo(interrupt: Interrupt): Io {
  return {
    out: sinkOf(process.stdout),
    err: sinkOf(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    interrupt,
    now: () => new Date(),
  };
}

function sinkOf(stream: NodeJS.WriteStream): Sink {
  return {
    write: (text) => void stream.write(text),
    // Asked each time: a window may be resized while a run is watched.
    get isTTY() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns ?? 80;
    },
    get rows() {
      return stream.rows ?? 24;
    },
  };
}
