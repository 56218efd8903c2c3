import { createHash } from 'node:crypto';
import path from 'node:path';
import { type CompiledPipeline, type ObjectStore, type Problem, type ReleaseFiles, SluiceError } from '#core';
import type { CompiledBefore } from '#dag';
import { releaseAlias } from './alias.ts';
import { Blobs, type StoredContent } from './blobs.ts';
import { compileRelease } from './compile-release.ts';
import { FolderObjects } from './folder-objects.ts';
import type { ReleaseFile } from './hashed-files.ts';
import { inLanes } from './in-lanes.ts';
import { byCodeUnit } from './list-files.ts';
import { type ReleaseRecord, ReleaseRecords, type ReleaseSummary } from './release-record.ts';
import { RELEASE_LIMITS } from './release-limits.ts';
import type { Snapshot } from './snapshot.ts';
import { assemble, commitOf, summaryOf } from './stored-release.ts';
import {
  type CollectedReleases,
  collectReleases,
  type ReleaseCollectOptions,
  type ReleaseSweepOptions,
  type SweptStore,
  sweepReleases,
} from './sweep-releases.ts';
import { UnpackedReleases } from './unpacked-release.ts';
import { checkUploaded, refuseProblems, snapshotOfUploaded, type UploadedRelease } from './uploaded-release.ts';

/** A release as it was compiled when it was stored; a newer Sluice reads the same. */
export interface StoredRelease extends ReleaseSummary {
  readonly pipelines: readonly CompiledPipeline[];
  /** By file relative to `dags/`; only files that have some. Such a file has no pipeline here. */
  readonly problems: Readonly<Record<string, readonly Problem[]>>;
  /** Texts of the `.yaml` and `.yml` files. */
  readonly sources: Readonly<Record<string, string>>;
  readonly files: readonly ReleaseFile[];
}

/** Content-addressed releases in a folder. Any number of processes may share it. */
export interface ReleaseStore extends ReleaseFiles {
  /**
   * Stores and compiles a snapshot. Content that is stored already is returned as it was compiled then; if it was marked
   * dirty and now comes from a clean commit, it takes that commit. Throws `conflict` when files changed meanwhile; with
   * `whole`, `invalid_config` with `details.problems` when a pipeline file has problems, and then nothing is stored.
   */
  put(snapshot: Snapshot, how?: { readonly whole?: boolean }): Promise<StoredRelease>;
  /** Those contents (by SHA-256) that it lacks, each once. */
  missing(contents: readonly StoredContent[]): Promise<readonly string[]>;
  /** Keeps a content for a release that follows. Throws `bad_request` when it has another hash. */
  putContent(sha256: string, content: Buffer): Promise<void>;
  /**
   * Stores a release of a commit whose contents are in the store. Content that is stored already is returned as it was
   * compiled then, now clean. Throws `bad_request` for what a release cannot hold, `conflict` when contents are missing,
   * `invalid_config` with `details.problems` when a pipeline file has problems; then nothing is stored.
   */
  putUploaded(uploaded: UploadedRelease): Promise<StoredRelease>;
  get(digest: string): Promise<StoredRelease | null>;
  /** Newest first. */
  list(): Promise<readonly ReleaseSummary[]>;
  /** Removes dirty releases that nothing refers to; returns their digests. For one process at a time. */
  sweep(options: ReleaseSweepOptions): Promise<readonly string[]>;
  /** Removes these releases and every old content that no other one names. For one process at a time. */
  collect(options: ReleaseCollectOptions): Promise<CollectedReleases>;
}

export interface ReleaseStoreOptions {
  /** Absolute folder of this machine for working copies of releases; made when first written to. */
  readonly folder: string;
  /** Where contents and records are; the same folder unless given. */
  readonly objects?: ObjectStore;
}

const MAX_IN_MEMORY = 4;
const LANES = 8;

/** Opens a store. */
export function createReleaseStore({ folder, objects = new FolderObjects(folder) }: ReleaseStoreOptions): ReleaseStore {
  return new ObjectReleaseStore(path.join(folder, 'unpacked'), objects);
}

class ObjectReleaseStore implements ReleaseStore {
  readonly #objects: ObjectStore;
  readonly #records: ReleaseRecords;
  readonly #blobs: Blobs;
  readonly #unpacked: UnpackedReleases;
  /** The last few, because the present one is asked for all the time. */
  readonly #recent = new Map<string, StoredRelease>();
  /** What the last compilation found, so that a change of one file compiles one. */
  readonly #compiledBefore: CompiledBefore = new Map();
  #writing: Promise<unknown> = Promise.resolve();
  /** What each pack holds as it was last written or read: a change of one file writes one pack. */
  readonly #packs = new Map<number, { readonly pipelines: readonly CompiledPipeline[]; readonly blob: string }>();

  constructor(unpackedFolder: string, objects: ObjectStore) {
    this.#objects = objects;
    this.#records = new ReleaseRecords(objects);
    this.#blobs = new Blobs(objects);
    this.#unpacked = new UnpackedReleases(unpackedFolder, this.#blobs);
  }

  put(snapshot: Snapshot, { whole = false }: { readonly whole?: boolean } = {}): Promise<StoredRelease> {
    return this.#oneByOne(() => (whole ? this.#put(snapshot, refuseProblems) : this.#put(snapshot)));
  }

  async #put(snapshot: Snapshot, check: typeof refuseProblems = () => undefined): Promise<StoredRelease> {
    const known = await this.get(snapshot.digest);
    if (known !== null) check(known.problems);
    if (known !== null && (snapshot.dirty || !known.dirty)) return known;
    if (known !== null) return this.#adoptCommit(known, snapshot);
    const { pipelines, problems } = compileRelease(snapshot, this.#compiledBefore);
    check(problems);
    const missing = await this.#blobs.missing(snapshot.files);
    await inLanes(LANES, missing, async (file) => this.#blobs.add(file.sha256, await snapshot.read(file)));
    const compiled = await this.#storePipelines(pipelines);
    const record: ReleaseRecord = {
      format: 1,
      digest: snapshot.digest,
      alias: releaseAlias(snapshot.digest),
      createdAt: new Date().toISOString(),
      ...commitOf(snapshot),
      files: snapshot.files.map(({ path: name, executable, bytes, sha256 }) => ({
        path: name,
        executable,
        bytes,
        sha256,
      })),
      compiled,
      problems,
    };
    await this.#records.put(record); // last: a record says that everything it names is there
    return this.#remember(assemble(record, pipelines, Object.fromEntries(snapshot.texts)));
  }

  async missing(contents: readonly StoredContent[]): Promise<readonly string[]> {
    const lacking = await this.#blobs.missing(contents);
    return [...new Set(lacking.map(({ sha256 }) => sha256))];
  }

  async putContent(sha256: string, content: Buffer): Promise<void> {
    const actual = createHash('sha256').update(content).digest('hex');
    if (actual !== sha256)
      throw new SluiceError('bad_request', `The content has SHA-256 ${actual}, not ${sha256}.`, {
        hint: 'It was changed on the way, or while it was read: send it again.',
      });
    // Beside a sweep, which leaves what is young.
    await this.#blobs.put(sha256, content);
  }

  putUploaded(uploaded: UploadedRelease): Promise<StoredRelease> {
    return this.#oneByOne(async () => {
      const files = checkUploaded(uploaded.files, RELEASE_LIMITS);
      const missing = await this.missing(files);
      if (missing.length > 0)
        throw new SluiceError('conflict', `The release store lacks ${missing.length} contents of this release.`, {
          hint: 'Upload them first; `sluice release create` does.',
          details: { missing },
        });
      const texts = await this.#textsOf(files);
      const snapshot = snapshotOfUploaded(uploaded, files, texts, (sha256) => this.#blobs.get(sha256));
      return this.#put(snapshot, refuseProblems);
    });
  }

  /** Texts of the pipeline files: what a recent release holds as well is not read again. */
  async #textsOf(files: readonly ReleaseFile[]): Promise<ReadonlyMap<string, string>> {
    const known = new Map<string, string>();
    for (const { files: before, sources } of this.#recent.values())
      for (const { path: name, sha256 } of before) if (sources[name] !== undefined) known.set(sha256, sources[name]);
    const texts = new Map<string, string>();
    const unread: ReleaseFile[] = [];
    for (const file of files) {
      if (!/\.ya?ml$/.test(file.path)) continue;
      const text = known.get(file.sha256);
      if (text === undefined) unread.push(file);
      // The place among the others is taken now.
      texts.set(file.path, text ?? '');
    }
    await inLanes(LANES, unread, async ({ path: name, sha256 }) => {
      texts.set(name, (await this.#blobs.get(sha256)).toString('utf8'));
    });
    return texts;
  }

  async get(digest: string): Promise<StoredRelease | null> {
    const recent = this.#recent.get(digest);
    if (recent !== undefined) return this.#remember(recent);
    const record = await this.#records.get(digest);
    if (record === null) return null;
    const pipelines = await this.#readPipelines(record.compiled);
    const sources = await inLanes(
      LANES,
      record.files.filter((file) => /\.ya?ml$/.test(file.path)),
      async (file) => [file.path, (await this.#blobs.get(file.sha256)).toString('utf8')] as const,
    );
    return this.#remember(assemble(record, pipelines, Object.fromEntries(sources)));
  }

  async list(): Promise<readonly ReleaseSummary[]> {
    const records = await inLanes(LANES, await this.#records.digests(), (digest) => this.#records.get(digest));
    return records
      .flatMap((record) => (record === null ? [] : [summaryOf(record)]))
      .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  }

  folder(digest: string): Promise<string> {
    return this.#unpacked.folder(digest, async () => {
      const record = await this.#records.get(digest);
      if (record !== null) return record;
      throw new SluiceError('not_found', `Release ${digest} is not in the release store.`, {
        hint: 'Restore the store from a backup, or create the release again from its commit.',
      });
    });
  }

  sweep(options: ReleaseSweepOptions): Promise<readonly string[]> {
    return this.#oneByOne(async () => {
      const removed = await sweepReleases(this.#swept(), options);
      if (removed.length > 0) this.#forget(removed);
      return removed;
    });
  }

  collect(options: ReleaseCollectOptions): Promise<CollectedReleases> {
    return this.#oneByOne(async () => {
      const collected = await collectReleases(this.#swept(), options);
      if (!options.dryRun) this.#forget(collected.digests);
      return collected;
    });
  }

  #swept(): SweptStore {
    return {
      ...{ objects: this.#objects, records: this.#records },
      removeCopy: (digest) => this.#unpacked.remove(digest),
    };
  }

  #forget(removed: readonly string[]): void {
    for (const digest of removed) this.#recent.delete(digest);
    // What was known to be stored may be gone.
    this.#blobs.forget();
    this.#packs.clear();
  }

  /** A sweep must not remove contents that a put has just found to be there. */
  #oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#writing.then(work, work);
    this.#writing = result;
    return result;
  }

  async #adoptCommit(known: StoredRelease, snapshot: Snapshot): Promise<StoredRelease> {
    const record = await this.#records.get(known.digest);
    if (record !== null) await this.#records.put({ ...record, ...commitOf(snapshot) });
    return this.#remember({ ...known, ...commitOf(snapshot) });
  }

  /** Packs, because ten thousand small files take longer to write and to read than to compile. */
  async #storePipelines(pipelines: readonly CompiledPipeline[]): Promise<readonly string[]> {
    const packs = new Map<number, CompiledPipeline[]>();
    for (const pipeline of pipelines) {
      const number = packOf(pipeline);
      const members = packs.get(number);
      if (members === undefined) packs.set(number, [pipeline]);
      else members.push(pipeline);
    }
    return inLanes(LANES, [...packs], async ([number, members]) => {
      const before = this.#packs.get(number);
      if (before !== undefined && sameMembers(before.pipelines, members)) return before.blob;
      const content = Buffer.from(JSON.stringify(members));
      const blob = createHash('sha256').update(content).digest('hex');
      await this.#blobs.put(blob, content);
      this.#packs.set(number, { pipelines: members, blob });
      return blob;
    });
  }

  /** In the compiler's order. */
  async #readPipelines(blobs: readonly string[]): Promise<readonly CompiledPipeline[]> {
    const packs = await inLanes(LANES, blobs, async (blob) => {
      const pipelines = JSON.parse((await this.#blobs.get(blob)).toString('utf8')) as readonly CompiledPipeline[];
      if (pipelines[0] !== undefined) this.#packs.set(packOf(pipelines[0]), { pipelines, blob });
      return pipelines;
    });
    return packs.flat().sort((a, b) => byCodeUnit(a.file, b.file));
  }

  #remember(release: StoredRelease): StoredRelease {
    this.#recent.delete(release.digest);
    this.#recent.set(release.digest, release);
    if (this.#recent.size > MAX_IN_MEMORY) this.#recent.delete(this.#recent.keys().next().value as string);
    return release;
  }
}

/** A pipeline stays in its pack whatever else the release holds. */
function packOf(pipeline: CompiledPipeline): number {
  const known = packs.get(pipeline);
  if (known !== undefined) return known;
  const pack = createHash('sha256').update(pipeline.file).digest().readUInt8(0);
  packs.set(pipeline, pack);
  return pack;
}
/** Of pipelines that did not change since the last release. */
const packs = new WeakMap<CompiledPipeline, number>();

function sameMembers(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((member, index) => member === b[index]);
}
