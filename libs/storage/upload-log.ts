import { stat } from 'node:fs/promises';
import type { LogLine, LogWriter } from '#core';
import type { LogFolder } from './log-folder.ts';
import { type LogSegment, NEWLINE } from './log-segments.ts';
import type { S3Objects } from './s3-objects.ts';

/** Brings the segments of one log into the bucket, each as one whole object; one that grew is put again. */
export class LogUpload {
  /** A writer has it: more lines may come. */
  isOpen = false;
  readonly #log: LogFolder;
  readonly #objects: S3Objects;
  /** Of its keys in the bucket. */
  readonly prefix: string;
  /** Bytes of each segment that are in the bucket. */
  readonly #uploaded = new Map<string, number>();
  #running: Promise<void> = Promise.resolve();

  constructor(log: LogFolder, objects: S3Objects, prefix: string) {
    this.#log = log;
    this.#objects = objects;
    this.prefix = prefix;
  }

  /** Resolves when every whole line that is written now is in the bucket. */
  upToNow(): Promise<void> {
    const upload = this.#running.then(() => this.#upload());
    this.#running = upload.catch(() => undefined); // told to whoever asked for it
    return upload;
  }

  /** Epoch milliseconds of the last write on this machine; 0 when there is nothing. */
  async changedAt(): Promise<number> {
    const times = (await this.#log.list()).map(async (segment) => (await stat(this.#log.file(segment))).mtimeMs);
    return Math.max(0, ...(await Promise.all(times)));
  }

  async #upload(): Promise<void> {
    for (const segment of await this.#log.list()) {
      const { size } = await stat(this.#log.file(segment));
      if (this.#uploaded.get(segment.name) === size) continue;
      await this.#put(segment);
    }
  }

  async #put(segment: LogSegment): Promise<void> {
    const content = await this.#log.read(segment, 0, null);
    // Without a line that is just being written, or that a killed process left torn.
    const whole = content.subarray(0, content.lastIndexOf(NEWLINE) + 1);
    if (whole.length > 0) await this.#objects.put(`${this.prefix}/${segment.name}`, whole);
    this.#uploaded.set(segment.name, content.length);
  }
}

export interface UploadedLogOptions {
  readonly upload: LogUpload;
  readonly uploadMs: number;
  readonly problem: (error: unknown) => void;
}

/** Writes to the folder, and uploads while lines come, every few seconds, and at the end. */
export class UploadedLogWriter implements LogWriter {
  readonly #near: LogWriter;
  readonly #options: UploadedLogOptions;
  #timer: NodeJS.Timeout | null = null;

  constructor(near: LogWriter, options: UploadedLogOptions) {
    this.#near = near;
    this.#options = options;
  }

  write(lines: readonly Omit<LogLine, 'n'>[]): Promise<void> | null {
    const behind = this.#near.write(lines);
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.#send();
    }, this.#options.uploadMs);
    return behind;
  }

  /** A log that cannot be uploaded now is not lost, and no reason to fail: it stays here until the sweep brings it away. */
  async close(): Promise<number> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    try {
      const lines = await this.#near.close();
      await this.#send();
      return lines;
    } finally {
      this.#options.upload.isOpen = false;
    }
  }

  #send(): Promise<void> {
    const { upload, problem } = this.#options;
    return upload.upToNow().catch(problem);
  }
}
