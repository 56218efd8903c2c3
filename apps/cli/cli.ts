import type { SluiceClient } from '#contracts/client';
import type { Io } from './io.ts';
import { cleanLine } from './output/clean-text.ts';
import { Output, type OutputOptions } from './output/output.ts';
import { styleFor, type Style } from './output/style.ts';
import { findServer } from './server/find-server.ts';

/** What every command is given: its surroundings, a way to speak, and the way to the server. */
export class Cli {
  readonly io: Io;
  /** Exit code of a command that ends without an error. */
  exitCode = 0;
  #quiet = false;

  constructor(io: Io) {
    this.io = io;
  }

  /** From now on only data and errors are written. */
  beQuiet(): void {
    this.#quiet = true;
  }

  get isQuiet(): boolean {
    return this.#quiet;
  }

  output(options: OutputOptions): Output {
    return new Output(this.io, options);
  }

  get outStyle(): Style {
    return styleFor(this.io, this.io.out);
  }

  get errStyle(): Style {
    return styleFor(this.io, this.io.err);
  }

  /** A message for people, on stderr. */
  say(text: string): void {
    if (!this.#quiet) this.io.err.write(`${cleanLine(text)}\n`);
  }

  warn(text: string): void {
    if (!this.#quiet) this.io.err.write(`${this.errStyle.yellow('warning:')} ${cleanLine(text)}\n`);
  }

  /** What one would type next, on stderr. */
  next(text: string, command: string): void {
    if (!this.#quiet) this.io.err.write(`${this.errStyle.dim(`${cleanLine(text)}:`)} ${cleanLine(command)}\n`);
  }

  /** A client of the server that belongs to this folder; throws `unavailable` with the remedy when there is none. */
  async connect(): Promise<SluiceClient> {
    const server = await this.server();
    // Loaded here, so that commands that need no server start without it.
    const { createClient } = await import('#contracts/client');
    return createClient({ baseUrl: server.url, token: server.token });
  }

  async server(): Promise<{ readonly url: string; readonly token: string; readonly source: string }> {
    return findServer(this.io.cwd, this.io.env, (text) => this.warn(text));
  }
}
