import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type LogKey, type LogStore, relativeSegment } from '#core';
import { followLog, LOOK_MS } from './follow-log.ts';
import { LogCursor } from './log-cursor.ts';
import { LogFolder } from './log-folder.ts';
import { type LogSegment, type LogSource, segmentsAmong } from './log-segments.ts';
import { openLogWriter } from './log-writer.ts';
import { OURS, RootFolder } from './root-folder.ts';
import type { S3Objects } from './s3-objects.ts';
import { searchLog } from './search-log.ts';
import { LogUpload, UploadedLogWriter } from './upload-log.ts';

export interface S3LogsOptions {
  readonly objects: S3Objects;
  /** Absolute folder of this machine, of this root alone. */
  readonly folder: string;
  /** A part of a log could not be uploaded; it stays here, and the sweep tries again. */
  readonly problem: (error: unknown) => void;
  /** A line is in the bucket at most this long after it was written; default 3 s. Readers elsewhere look as often. */
  readonly uploadMs?: number;
}

export interface S3Logs extends LogStore {
  /** Uploads what killed processes left, and removes what is in the bucket and was not touched for that long; how many logs. */
  sweep(olderThanMs: number, now?: number): Promise<number>;
  /** The same for logs that were opened here and nowhere else: other processes may be writing to others in the folder. */
  sweepOwn(olderThanMs: number, now?: number): Promise<number>;
}

const UPLOAD_MS = 3_000;

/**
 * Logs of attempts in a bucket, in the same segments as in a folder. Lines are written to a folder of this machine first
 * and uploaded within seconds; what is read comes from that folder while it is there, else from the bucket.
 */
export function createS3Logs({ objects, folder, problem, uploadMs = UPLOAD_MS }: S3LogsOptions): S3Logs {
  const at = new RootFolder(folder, false);
  const uploads = new Map<string, LogUpload>();
  const folderOf = (key: LogKey): string => at.logs(key.runId, key.taskId, key.mapIndex, key.number);
  const sourceOf = (key: LogKey): NearestLog => new NearestLog(new LogFolder(folderOf(key)), objects, prefixOf(key));
  const uploadOf = (local: string, prefix: string): LogUpload => {
    const upload = uploads.get(local) ?? new LogUpload(new LogFolder(local), objects, prefix);
    uploads.set(local, upload);
    return upload;
  };
  const sweep = async (
    logs: readonly { readonly local: string; readonly prefix: string }[],
    before: number,
  ): Promise<number> => {
    let removed = 0;
    for (const { local, prefix } of logs) {
      const upload = uploadOf(local, prefix);
      if (upload.isOpen || (await upload.changedAt()) >= before) continue;
      await upload.upToNow();
      await rm(local, { recursive: true, force: true });
      await removeEmptyParents(path.dirname(local), at.root);
      uploads.delete(local);
      removed += 1;
    }
    return removed;
  };
  return {
    open: async (key) => {
      const local = folderOf(key);
      const upload = uploadOf(local, prefixOf(key));
      upload.isOpen = true;
      try {
        await sourceOf(key).fetch();
        return new UploadedLogWriter(await openLogWriter(local), { upload, uploadMs, problem });
      } catch (error) {
        upload.isOpen = false;
        throw error;
      }
    },
    read: async (key, { fromLine, limit }) => {
      const cursor = new LogCursor(sourceOf(key), fromLine);
      const lines = await cursor.read(limit);
      return { lines, nextLine: cursor.nextLine, complete: cursor.complete };
    },
    search: async (key, text, limit) => searchLog(sourceOf(key), text, limit),
    follow: async (key, fromLine, onLines, signal) => {
      const looks = Math.ceil(uploadMs / LOOK_MS);
      await followLog({ source: sourceOf(key), folder: folderOf(key), looks }, fromLine, onLines, signal);
    },
    sweep: async (olderThanMs, now = Date.now()) => sweep(await localLogs(at), now - olderThanMs),
    sweepOwn: (olderThanMs, now = Date.now()) =>
      sweep(
        [...uploads].map(([local, { prefix }]) => ({ local, prefix })),
        now - olderThanMs,
      ),
  };
}

/** A log in this machine's folder if it is there, else in the bucket. It may move from the one to the other meanwhile. */
class NearestLog implements LogSource {
  readonly #near: LogFolder;
  readonly #objects: S3Objects;
  readonly #prefix: string;

  constructor(near: LogFolder, objects: S3Objects, prefix: string) {
    this.#near = near;
    this.#objects = objects;
    this.#prefix = prefix;
  }

  async list(): Promise<readonly LogSegment[]> {
    const near = await this.#near.list();
    return near.length > 0 ? near : this.#far();
  }

  async read(segment: LogSegment, offset: number, most: number | null): Promise<Buffer> {
    try {
      return await this.#near.read(segment, offset, most);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return (await this.#objects.getRange(`${this.#prefix}/${segment.name}`, offset, most)) ?? Buffer.alloc(0);
    }
  }

  /** Copies a log that is only in the bucket here, so that a writer goes on after its last line. */
  async fetch(): Promise<void> {
    if ((await this.#near.list()).length > 0) return;
    for (const segment of await this.#far()) {
      const content = await this.#objects.get(`${this.#prefix}/${segment.name}`);
      if (content === null) continue;
      const file = this.#near.file(segment);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(`${file}.new`, content);
      await rename(`${file}.new`, file);
    }
  }

  async #far(): Promise<readonly LogSegment[]> {
    const objects = await this.#objects.list(this.#prefix);
    return segmentsAmong(objects.map(({ key }) => key.slice(this.#prefix.length + 1)));
  }
}

function prefixOf({ runId, taskId, mapIndex, number }: LogKey): string {
  return [OURS, 'logs', ...[runId, taskId, mapIndex, number].map((name) => relativeSegment(String(name)))].join('/');
}

/** Every log that lies on this machine: run, task, map index, try. */
async function localLogs(at: RootFolder): Promise<{ local: string; prefix: string }[]> {
  const top = path.join(at.root, OURS, 'logs');
  const names = await readdir(top, { recursive: true }).catch(() => []);
  return names
    .filter((name) => name.split(path.sep).length === 4)
    .map((name) => ({ local: path.join(top, name), prefix: [OURS, 'logs', ...name.split(path.sep)].join('/') }));
}

async function removeEmptyParents(folder: string, root: string): Promise<void> {
  for (let at = folder; at.startsWith(path.join(root, OURS, 'logs') + path.sep); at = path.dirname(at)) {
    // Others may be in it, or be making one.
    if (
      !(await rmdir(at).then(
        () => true,
        () => false,
      ))
    )
      return;
  }
}
