import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { LogStore, ObjectStore } from '#core';
import { FolderObjects } from '#release';
import {
  createFileLogs,
  createFileStorage,
  createS3Logs,
  createS3Storage,
  type EnvironmentStorage,
  type S3Logs,
  S3Objects,
} from '#storage';
import { storageFolder } from './environment-files.ts';
import { type S3Config, s3SettingsOf } from './s3-config.ts';

export interface StorageRootsOptions {
  readonly s3: S3Config;
  /** Folder of this machine for staging and copies of what is in buckets. */
  readonly cacheFolder: string;
  /** Something failed that is tried again. */
  readonly problem: (what: string, error: unknown) => void;
}

export interface OpenedRoot {
  readonly storage: EnvironmentStorage;
  readonly logs: LogStore;
  /** Whole contents by key below the root. */
  readonly objects: ObjectStore;
}

/** Logs that are in the bucket stay here for whoever reads them right after the end. */
const LOG_STAYS_MS = 10 * 60_000;

/** Storage and logs of each root, opened once: `file:///…` or `s3://…`. Nothing is read or asked before they are used. */
export class StorageRoots {
  readonly #options: StorageRootsOptions;
  readonly #opened = new Map<string, OpenedRoot>();
  readonly #logsInBuckets = new Map<string, S3Logs>();

  constructor(options: StorageRootsOptions) {
    this.#options = options;
  }

  at(url: string): OpenedRoot {
    const opened = this.#opened.get(url) ?? this.#open(url);
    this.#opened.set(url, opened);
    return opened;
  }

  /** Erases everything below a root inside another, and this machine's copies of it. Repeatable; nothing may need it any more. */
  async erase(url: string): Promise<void> {
    this.#opened.delete(url);
    this.#logsInBuckets.delete(url);
    if (!url.startsWith('s3:')) return rm(storageFolder(url), { recursive: true, force: true });
    const { s3 } = this.#options;
    const end = url.lastIndexOf('/');
    await openBucket(url.slice(0, end), s3).clear(url.slice(end + 1));
    await rm(this.#copiesOf(openBucket(url, s3)), { recursive: true, force: true });
  }

  /** Brings logs that were written by this process into their buckets, and removes them here some minutes later. Never throws. */
  async sweepOwnLogs(now: number): Promise<void> {
    for (const logs of this.#logsInBuckets.values())
      await logs.sweepOwn(LOG_STAYS_MS, now).catch((error: unknown) => this.#options.problem('sweeping logs', error));
  }

  #open(url: string): OpenedRoot {
    if (url.startsWith('s3:')) return this.#openBucket(url);
    const root = storageFolder(url);
    return { storage: createFileStorage({ root }), logs: createFileLogs({ root }), objects: new FolderObjects(root) };
  }

  #openBucket(url: string): OpenedRoot {
    const { s3, problem } = this.#options;
    const objects = openBucket(url, s3);
    const folder = this.#copiesOf(objects);
    const logs = createS3Logs({ objects, folder, problem: (error) => problem('uploading a log', error) });
    this.#logsInBuckets.set(url, logs);
    const storage = createS3Storage({
      ...{ objects, folder, cacheBytes: s3.cacheBytes },
      problem: (error) => problem('removing what attempts left in a bucket', error),
    });
    return {
      logs,
      objects,
      storage: {
        ...storage,
        sweep: async (options) => {
          // A bucket that does not answer must not keep this machine's folders from being swept.
          await logs.sweep(LOG_STAYS_MS, options.now).catch((error: unknown) => problem('sweeping logs', error));
          return storage.sweep(options);
        },
      },
    };
  }

  #copiesOf({ name }: S3Objects): string {
    const { s3, cacheFolder } = this.#options;
    // Another endpoint's bucket of the same name is another bucket.
    const about = `${s3.endpoint ?? ''}\n${name}`;
    return path.join(cacheFolder, createHash('sha256').update(about).digest('hex').slice(0, 16));
  }
}

/** Objects below `s3://bucket/prefix`, with the server's keys. */
export function openBucket(url: string, s3: S3Config): S3Objects {
  // Which Node the SDK will want next year is nothing that whoever reads our log could act on.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  return new S3Objects(url, s3SettingsOf(s3));
}
