import { stripVTControlCharacters } from 'node:util';
import type { AttemptAddress, LogLineShape } from '#contracts/client';
import type { Io, Sink } from '../io.ts';
import { cleanColoured, cleanLine } from '../output/clean-text.ts';
import { hasColour, styleFor, type Style } from '../output/style.ts';

export interface LogLook {
  readonly grep?: string;
  readonly timestamps?: boolean;
  readonly output: 'text' | 'ndjson';
}

/** Writes log lines, to stdout unless told: colours of the task only on a terminal, nothing else that could steer it. */
export class LogPrinter {
  readonly #sink: Sink;
  readonly #look: LogLook;
  readonly #wanted: string | null;
  readonly #colour: boolean;
  readonly #style: Style;

  constructor(io: Io, look: LogLook, sink: Sink = io.out) {
    this.#sink = sink;
    this.#look = look;
    this.#wanted = look.grep?.toLowerCase() ?? null;
    this.#colour = hasColour(io, sink);
    this.#style = styleFor(io, sink);
  }

  /** `prefix` names the task run when lines of several are mixed. */
  print(lines: readonly LogLineShape[], at: AttemptAddress, prefix = ''): void {
    const shown = this.#wanted === null ? lines : lines.filter((line) => this.#matches(line.text));
    if (shown.length === 0) return;
    this.#sink.write(`${shown.map((line) => this.#line(line, at, prefix)).join('\n')}\n`);
  }

  #matches(text: string): boolean {
    return stripVTControlCharacters(text)
      .toLowerCase()
      .includes(this.#wanted ?? '');
  }

  #line(line: LogLineShape, at: AttemptAddress, prefix: string): string {
    if (this.#look.output === 'ndjson') return JSON.stringify({ ...at, ...line, at: new Date(line.at).toISOString() });
    const text = this.#colour ? cleanColoured(line.text) : cleanLine(line.text);
    const words = line.stream === 'sys' ? this.#style.dim(text) : text;
    const instant = this.#look.timestamps ? `${this.#style.dim(new Date(line.at).toISOString())} ` : '';
    const rank = line.rank === undefined ? '' : `${this.#style.cyan(`[${line.rank}]`)} `;
    return `${prefix === '' ? '' : this.#style.cyan(`${cleanLine(prefix)} | `)}${instant}${rank}${words}`;
  }
}
