import type { LogLine, LogWriter } from '#core';
import { LineSplitter, type LineListener, type RawLine } from './line-splitter.ts';
import type { Masker } from './masker.ts';

/** What a line costs at least: its number, time and stream are stored too. */
const LEAST_LINE_BYTES = 16;

export interface AttemptLogOptions {
  /** Opens the store's writer; called at the first line, so that a silent attempt costs nothing. */
  readonly open: () => Promise<LogWriter>;
  readonly limits: { readonly maxBytes: number; readonly maxLineBytes: number };
  readonly masker: Masker;
  readonly now: () => number;
  /** Every unmasked line of stdout that begins with `::`. */
  readonly onMessage: (line: RawLine) => void;
}

/** An attempt's log: lines out of chunks, masked, bounded. Past `maxBytes` lines are counted and said, not kept. */
export class AttemptLog {
  readonly #options: AttemptLogOptions;
  readonly #splitters: Record<'out' | 'err', LineSplitter>;
  #writer: LogWriter | null = null;
  #opening: Promise<void> | null = null;
  #failure: Error | null = null;
  #waiting: Omit<LogLine, 'n'>[] = [];
  #bytes = 0;
  #droppedLines = 0;
  #droppedBytes = 0;

  constructor(options: AttemptLogOptions) {
    this.#options = options;
    // A secret that the cut would tear in two must be seen whole by the masker first.
    const keepBytes = options.limits.maxLineBytes + options.masker.longest * 4;
    const listen = (stream: 'out' | 'err'): LineListener => ({
      line: (line) => this.#line(stream, line),
      skipped: (lines, bytes) => this.#drop(lines, bytes),
    });
    this.#splitters = {
      out: new LineSplitter(keepBytes, listen('out')),
      err: new LineSplitter(keepBytes, listen('err')),
    };
  }

  output(stream: 'out' | 'err', chunk: Buffer): void {
    this.#splitters[stream].push(chunk);
    this.#flush();
  }

  /** A line of ours; never dropped. */
  say(text: string): void {
    for (const line of this.#options.masker.mask(text).split('\n')) this.#append('sys', line);
    this.#flush();
  }

  /** Ends lines without a newline: what was read so far is all there is. */
  endOfOutput(): void {
    this.#splitters.out.end();
    this.#splitters.err.end();
    if (this.#droppedLines > 0)
      this.#append('sys', `… ${this.#droppedLines} more lines (${this.#droppedBytes} bytes) were not kept`);
    this.#droppedLines = 0;
    this.#flush();
  }

  /** Number of lines in the log; 0 when nothing was ever written. Throws when the log could not be written. */
  async close(): Promise<number> {
    this.#flush();
    await this.#opening;
    if (this.#failure !== null) throw this.#failure;
    return this.#writer === null ? 0 : this.#writer.close();
  }

  #line(stream: 'out' | 'err', line: RawLine): void {
    if (stream === 'out' && line.text.startsWith('::')) this.#options.onMessage(line);
    const { maxBytes } = this.#options.limits;
    if (this.#bytes >= maxBytes) return this.#drop(1, line.bytes + 1);
    const text = this.#cut(this.#options.masker.mask(line.text), line);
    this.#bytes += Math.max(text.length + 1, LEAST_LINE_BYTES);
    this.#append(stream, text);
    if (this.#bytes < maxBytes) return;
    this.#append('sys', `the log reached its limit of ${maxBytes} bytes: later lines are counted, not kept`);
    this.#splitters.out.skipping = true;
    this.#splitters.err.skipping = true;
  }

  #drop(lines: number, bytes: number): void {
    this.#droppedLines += lines;
    this.#droppedBytes += bytes;
  }

  #cut(text: string, { bytes, whole }: RawLine): string {
    const { maxLineBytes } = this.#options.limits;
    if (whole && Buffer.byteLength(text) <= maxLineBytes) return text;
    const kept = Buffer.from(text)
      .subarray(0, maxLineBytes)
      .toString('utf8')
      .replace(/\uFFFD$/, '');
    return `${kept} … (line of ${bytes} bytes, cut at ${maxLineBytes})`;
  }

  #append(stream: LogLine['stream'], text: string): void {
    this.#waiting.push({ at: this.#options.now(), stream, text });
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    if (this.#writer !== null) {
      this.#writer.write(this.#waiting);
      this.#waiting = [];
      return;
    }
    if (this.#failure !== null) this.#waiting = [];
    this.#opening ??= this.#options.open().then(
      (writer) => {
        this.#writer = writer;
        this.#flush();
      },
      // Kept for `close`, which tells it: nobody waits for this promise until then.
      (error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
      },
    );
  }
}
