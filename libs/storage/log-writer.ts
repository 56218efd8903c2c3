import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import type { LogLine, LogWriter } from '#core';
import { LogCursor } from './log-cursor.ts';
import { endRecord, lineRecord, SEGMENT_BYTES, segmentName } from './log-segments.ts';

/** Lines that come within this time of the last write go into one write: a tail lags at most that much. */
const GATHER_MS = 40;

/** Opens an attempt's log for appending; continues after the last whole line when there is one. Nothing is created yet. */
export async function openLogWriter(folder: string): Promise<LogWriter> {
  const cursor = new LogCursor(folder, 1);
  while ((await cursor.read(100_000)).length > 0);
  return new SegmentWriter(folder, cursor.nextLine);
}

/** A process killed while writing leaves a torn line at the end of a segment: readers skip it, and every writer begins a new segment. */
class SegmentWriter implements LogWriter {
  readonly #folder: string;
  #nextLine: number;
  #firstUnwritten: number;
  #pending: string[] = [];
  #handle: FileHandle | null = null;
  #bytes = 0;
  #lastWrite = 0;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #failure: unknown = null;

  constructor(folder: string, nextLine: number) {
    this.#folder = folder;
    this.#nextLine = nextLine;
    this.#firstUnwritten = nextLine;
  }

  write(lines: readonly Omit<LogLine, 'n'>[]): void {
    if (this.#failure !== null) return;
    for (const { at, stream, text } of lines) this.#pending.push(lineRecord({ n: this.#nextLine++, at, stream, text }));
    if (this.#writing !== null || this.#timer !== null) return;
    const wait = this.#lastWrite + GATHER_MS - performance.now();
    if (wait <= 0) this.#start();
    else this.#timer = setTimeout(() => this.#start(), wait);
  }

  async close(): Promise<number> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#writing;
    this.#pending.push(endRecord(this.#nextLine - 1));
    this.#start();
    await this.#writing;
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
      })
      .finally(() => {
        this.#writing = null;
        this.#lastWrite = performance.now();
      });
  }

  async #drain(): Promise<void> {
    while (this.#pending.length > 0) {
      const { text, count } = this.#take();
      this.#handle ??= await this.#openSegment(this.#firstUnwritten);
      this.#firstUnwritten += count;
      const { bytesWritten } = await writeAll(this.#handle, text);
      this.#bytes += bytesWritten;
      if (this.#bytes < SEGMENT_BYTES) continue;
      await this.#handle.close();
      this.#handle = null;
    }
  }

  /** As many whole lines as fit into one segment's worth. */
  #take(): { text: string; count: number } {
    let size = 0;
    let count = 0;
    while (count < this.#pending.length && size < SEGMENT_BYTES) size += (this.#pending[count++] as string).length;
    return { text: this.#pending.splice(0, count).join(''), count };
  }

  async #openSegment(firstLine: number): Promise<FileHandle> {
    await mkdir(this.#folder, { recursive: true });
    this.#bytes = 0;
    // A file of that name can only hold the torn first line of a writer that was killed: start it anew.
    return open(path.join(this.#folder, segmentName(firstLine)), 'w');
  }
}

async function writeAll(handle: FileHandle, text: string): Promise<{ bytesWritten: number }> {
  const buffer = Buffer.from(text);
  for (let written = 0; written < buffer.length;)
    written += (await handle.write(buffer, written, buffer.length - written)).bytesWritten;
  return { bytesWritten: buffer.length };
}
