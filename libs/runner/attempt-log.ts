import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine, LogWriter } from '#core';
import { LineSplitter, type LineLimits, type LineListener, type RawLine } from './line-splitter.ts';
import { maskTorn, type Masker } from './masker.ts';

/** What a line costs at least: its number, time and stream are stored too. */
const LEAST_LINE_BYTES = 16;

/** After so much of our time an attempt's output rests `REST` times as long: it takes a quarter at most, and others have their turns. */
const TURN_MS = 4;
const REST = 3;
/** However long it took: this process may have stood still meanwhile. */
const LONGEST_TURN_MS = 100;

/** What turns are measured with, in milliseconds. */
export interface TurnClock {
  now(): number;
  rest(ms: number): Promise<void>;
}

const CLOCK: TurnClock = { now: () => performance.now(), rest: (ms) => sleep(ms, undefined, { ref: false }) };

export interface AttemptLogOptions {
  /** Opens the store's writer; called at the first line, so that a silent attempt costs nothing. */
  readonly open: () => Promise<LogWriter>;
  readonly limits: { readonly maxBytes: number; readonly maxLineBytes: number };
  readonly masker: Masker;
  readonly now: () => number;
  readonly clock?: TurnClock;
  /** Every unmasked line of stdout that begins with `::`. */
  readonly onMessage: (line: RawLine) => void;
}

/** Where a process that executes an attempt is heard. */
export interface ProcessLog {
  /** Null: go on. Otherwise hold back what comes next until it resolves, where that is possible. */
  output(stream: 'out' | 'err', chunk: Buffer): Promise<void> | null;
  /** A line of ours about it; never dropped. */
  say(text: string): void;
}

type Splitters = Record<'out' | 'err', LineSplitter>;

/** An attempt's log: lines out of chunks, masked, bounded. Past `maxBytes` lines are counted and said, not kept. */
export class AttemptLog implements ProcessLog {
  readonly #options: AttemptLogOptions;
  /** Of the attempt's own process. */
  readonly #splitters: Splitters;
  /** Of all that were opened: those of the replicas as well. */
  readonly #every: Splitters[] = [];
  readonly #lineLimits: LineLimits;
  #writer: LogWriter | null = null;
  #opening: Promise<void> | null = null;
  #failure: Error | null = null;
  #waiting: Omit<LogLine, 'n'>[] = [];
  #bytes = 0;
  #droppedLines = 0;
  #droppedBytes = 0;
  /** What reading its output has taken since it last rested. */
  #tookMs = 0;
  #resting: Promise<void> | null = null;

  constructor(options: AttemptLogOptions) {
    this.#options = options;
    const { maxLineBytes } = options.limits;
    // A secret that the cut would tear in two must be seen whole by the masker first.
    this.#lineLimits = { keepBytes: maxLineBytes + options.masker.longest * 4, atOnceBytes: maxLineBytes };
    this.#splitters = this.#open(options.onMessage);
  }

  output(stream: 'out' | 'err', chunk: Buffer): Promise<void> | null {
    return this.#read(this.#splitters[stream], chunk);
  }

  say(text: string): void {
    this.#say(text);
  }

  /** The log of one of several processes, whose lines bear its rank and whose messages go to `onMessage`. */
  ofReplica(rank: number, onMessage: (line: RawLine) => void): ProcessLog {
    const splitters = this.#open(onMessage, rank);
    return {
      output: (stream, chunk) => this.#read(splitters[stream], chunk),
      say: (text) => this.#say(text, rank),
    };
  }

  /** Ends lines without a newline: what was read so far is all there is. */
  endOfOutput(): void {
    for (const { out, err } of this.#every) {
      out.end();
      err.end();
    }
    if (this.#droppedLines > 0)
      this.#append('sys', `… ${this.#droppedLines} more lines (${this.#droppedBytes} bytes) were not kept`);
    this.#droppedLines = 0;
    void this.#flush();
  }

  /** Number of lines in the log; 0 when nothing was ever written. Throws when the log could not be written. */
  async close(): Promise<number> {
    void this.#flush();
    await this.#opening;
    if (this.#failure !== null) throw this.#failure;
    return this.#writer === null ? 0 : this.#writer.close();
  }

  #read(splitter: LineSplitter, chunk: Buffer): Promise<void> | null {
    const { now, rest } = this.#options.clock ?? CLOCK;
    const began = now();
    splitter.push(chunk);
    const behind = this.#flush();
    this.#tookMs += now() - began;
    if (this.#resting === null && this.#tookMs >= TURN_MS) {
      this.#resting = rest(Math.min(this.#tookMs, LONGEST_TURN_MS) * REST).then(() => {
        this.#resting = null;
      });
      this.#tookMs = 0;
    }
    if (behind === null || this.#resting === null) return behind ?? this.#resting;
    return Promise.all([behind, this.#resting]).then(() => undefined);
  }

  #open(onMessage: (line: RawLine) => void, rank?: number): Splitters {
    const listen = (stream: 'out' | 'err'): LineListener => ({
      lines: (text) => this.#lines(stream, text, rank),
      line: (line) => {
        if (stream === 'out' && line.text.startsWith('::')) onMessage(line);
        this.#line(stream, line, rank);
      },
      skipped: (lines, bytes) => this.#drop(lines, bytes),
    });
    const splitters = {
      out: new LineSplitter(this.#lineLimits, listen('out')),
      err: new LineSplitter(this.#lineLimits, listen('err')),
    };
    splitters.out.skipping = splitters.err.skipping = this.#isFull;
    this.#every.push(splitters);
    return splitters;
  }

  get #isFull(): boolean {
    return this.#bytes >= this.#options.limits.maxBytes;
  }

  #say(text: string, rank?: number): void {
    for (const line of this.#options.masker.mask(text).split('\n')) this.#append('sys', line, rank);
    void this.#flush();
  }

  /** Takes lines that are kept as they are; false when one of them may need to be looked at. */
  #lines(stream: 'out' | 'err', text: string, rank: number | undefined): boolean {
    const { masker, limits } = this.#options;
    if (text.includes('\r') || (stream === 'out' && `\n${text}`.includes('\n::'))) return false;
    // Masked line by line, since a secret may have several of them and a log keeps its lines.
    if (masker.mask(text) !== text || Buffer.byteLength(text) > limits.maxLineBytes) return false;
    let bytes = 0;
    for (const line of text.split('\n')) bytes += bytesOf(line);
    if (this.#bytes + bytes >= limits.maxBytes) return false;
    this.#bytes += bytes;
    this.#append(stream, text, rank);
    return true;
  }

  #line(stream: 'out' | 'err', line: RawLine, rank: number | undefined): void {
    const { maxBytes } = this.#options.limits;
    if (this.#isFull) return this.#drop(1, line.bytes + 1);
    const { masker } = this.#options;
    const text = this.#cut(line.whole ? masker.mask(line.text) : maskTorn(masker, line.text), line);
    this.#bytes += bytesOf(text);
    this.#append(stream, text, rank);
    if (!this.#isFull) return;
    this.#append('sys', `the log reached its limit of ${maxBytes} bytes: later lines are counted, not kept`);
    for (const { out, err } of this.#every) out.skipping = err.skipping = true;
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

  #append(stream: LogLine['stream'], text: string, rank?: number): void {
    const line = { at: this.#options.now(), stream, text };
    this.#waiting.push(rank === undefined ? line : { ...line, rank });
  }

  #flush(): Promise<void> | null {
    if (this.#waiting.length === 0) return null;
    if (this.#writer !== null) {
      const behind = this.#writer.write(this.#waiting);
      this.#waiting = [];
      return behind;
    }
    if (this.#failure !== null) this.#waiting = [];
    this.#opening ??= this.#options.open().then(
      (writer) => {
        this.#writer = writer;
        void this.#flush();
      },
      // Kept for `close`, which tells it: nobody waits for this promise until then.
      (error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
      },
    );
    return null;
  }
}

/** What a line counts for. */
function bytesOf(line: string): number {
  return Math.max(line.length + 1, LEAST_LINE_BYTES);
}
