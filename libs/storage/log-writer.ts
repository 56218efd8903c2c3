import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import type { LogWriter } from '#core';
import { LogCursor } from './log-cursor.ts';
import { LogFolder } from './log-folder.ts';
import { endRecord, lineRecords, SEGMENT_BYTES, segmentName } from './log-segments.ts';

/** Lines that come within this time of the last write go into one write: a tail lags at most that much. */
const GATHER_MS = 40;
/** Bytes that wait for the disk before the writer asks to be spared more. */
const MOST_BEHIND = 4 * 1024 * 1024;

/** Opens an attempt's log for appending; continues after the last whole line when there is one. Nothing is created yet. */
export async function openLogWriter(folder: string): Promise<LogWriter> {
  const cursor = new LogCursor(new LogFolder(folder), 1);
  while ((await cursor.read(100_000)).length > 0);
  return new SegmentWriter(folder, cursor.nextLine);
}

/** What is written at once. */
const PIECE_BYTES = 256 * 1024;
/** Pieces that were written and wait for their next use, by whichever log: of new ones V8 would keep a hundred MiB before it collects them. */
const spare: Buffer[] = [];
const MOST_SPARE = 32;

interface Piece {
  readonly buffer: Buffer;
  bytes: number;
  lines: number;
}

/** A process killed while writing leaves a torn line at the end of a segment: readers skip it, and every writer begins a new segment. */
class SegmentWriter implements LogWriter {
  readonly #folder: string;
  #nextLine: number;
  #firstUnwritten: number;
  #pending: Piece[] = [];
  #handle: FileHandle | null = null;
  #bytes = 0;
  #lastWrite = 0;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #failure: unknown = null;
  /** Bytes that are not written yet. */
  #behind = 0;
  #catchingUp: { readonly promise: Promise<void>; readonly done: () => void } | null = null;

  constructor(folder: string, nextLine: number) {
    this.#folder = folder;
    this.#nextLine = nextLine;
    this.#firstUnwritten = nextLine;
  }

  write(texts: Parameters<LogWriter['write']>[0]): Promise<void> | null {
    if (this.#failure !== null) return null;
    const first = this.#nextLine;
    let all = '';
    for (const text of texts) {
      const { records, lines } = lineRecords(text, this.#nextLine);
      this.#nextLine += lines;
      all += records;
    }
    this.#add(all, this.#nextLine - first);
    if (this.#writing === null && this.#timer === null) {
      const wait = this.#lastWrite + GATHER_MS - performance.now();
      if (wait <= 0) this.#start();
      else this.#timer = setTimeout(() => this.#start(), wait);
    }
    if (this.#behind > MOST_BEHIND) this.#catchingUp ??= openPromise();
    return this.#catchingUp?.promise ?? null;
  }

  async close(): Promise<number> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#writing;
    if (this.#failure === null) {
      this.#add(endRecord(this.#nextLine - 1), 0);
      this.#start();
      await this.#writing;
    }
    await this.#handle?.close().catch(() => undefined);
    this.#handle = null;
    if (this.#failure !== null) throw this.#failure;
    return this.#nextLine - 1;
  }

  #start(): void {
    this.#timer = null;
    this.#writing = this.#drain()
      .catch((error: unknown) => {
        // Told by close(); a full disk must not end the process that watches the task.
        this.#failure = error;
        this.#pending = [];
        this.#wrote(this.#behind);
      })
      .finally(() => {
        this.#writing = null;
        this.#lastWrite = performance.now();
      });
  }

  /** Bytes, not lines: a task that writes faster than the disk costs memory for its text alone. */
  #add(records: string, lines: number): void {
    const bytes = Buffer.byteLength(records);
    let piece = this.#pending.at(-1);
    if (piece === undefined || piece.bytes + bytes > piece.buffer.length) {
      const buffer = bytes > PIECE_BYTES ? Buffer.allocUnsafe(bytes) : (spare.pop() ?? Buffer.allocUnsafe(PIECE_BYTES));
      this.#pending.push((piece = { buffer, bytes: 0, lines: 0 }));
    }
    piece.buffer.write(records, piece.bytes);
    piece.bytes += bytes;
    piece.lines += lines;
    this.#behind += bytes;
  }

  async #drain(): Promise<void> {
    for (let piece = this.#pending.shift(); piece !== undefined; piece = this.#pending.shift()) {
      const { buffer, bytes, lines } = piece;
      this.#handle ??= await this.#openSegment(this.#firstUnwritten);
      this.#firstUnwritten += lines;
      await writeAll(this.#handle, buffer.subarray(0, bytes));
      if (buffer.length === PIECE_BYTES && spare.length < MOST_SPARE) spare.push(buffer);
      this.#bytes += bytes;
      this.#wrote(bytes);
      if (this.#bytes < SEGMENT_BYTES) continue;
      await this.#handle.close();
      this.#handle = null;
    }
  }

  #wrote(bytes: number): void {
    this.#behind -= bytes;
    if (this.#behind > MOST_BEHIND / 2) return;
    this.#catchingUp?.done();
    this.#catchingUp = null;
  }

  async #openSegment(firstLine: number): Promise<FileHandle> {
    await mkdir(this.#folder, { recursive: true });
    this.#bytes = 0;
    // A file of that name can only hold the torn first line of a writer that was killed: start it anew.
    return open(path.join(this.#folder, segmentName(firstLine)), 'w');
  }
}

function openPromise(): { readonly promise: Promise<void>; readonly done: () => void } {
  let done = (): void => undefined;
  const promise = new Promise<void>((resolve) => (done = resolve));
  return { promise, done };
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length;)
    written += (await handle.write(bytes, written, bytes.length - written)).bytesWritten;
}
