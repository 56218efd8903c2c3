import { open, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type LogSegment, type LogSource, segmentsAmong } from './log-segments.ts';

/** A log in a folder of this machine. */
export class LogFolder implements LogSource {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async list(): Promise<readonly LogSegment[]> {
    const names = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return segmentsAmong(names);
  }

  async read(segment: LogSegment, offset: number, most: number | null): Promise<Buffer> {
    const file = this.file(segment);
    if (most === null) return (await readFile(file)).subarray(offset);
    const handle = await open(file, 'r');
    try {
      const buffer = Buffer.allocUnsafe(most);
      const { bytesRead } = await handle.read(buffer, 0, most, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }

  file({ name }: LogSegment): string {
    return path.join(this.folder, name);
  }
}
