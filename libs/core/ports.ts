import type {
  Assignment,
  AttemptReport,
  AttemptResult,
  InputBinding,
  OutputBinding,
  PinnedVersion,
  PublishedVersion,
} from './attempt.ts';
import type { AlertEvent } from './pipeline.ts';
import type { InputAnswer } from './promotion-input.ts';
import type { Resources } from './resources.ts';

/** Executes attempts. Dispatch is idempotent by attempt id; every accepted attempt ends in exactly one `finished` report. */
export interface Executor {
  /** What attempts together may take here. Absent: others decide where they run. */
  readonly resources?: Resources;
  /** True: attempts are executed elsewhere and go on when this process dies. False: they die with it. */
  readonly outlivesProcess: boolean;
  /** Reports go to this listener; set once, before the first dispatch. */
  onReport(listener: (report: AttemptReport) => void): void;
  dispatch(assignments: readonly Assignment[]): void;
  /** More attempts wait here than run at once: whatever is sent now starts no sooner for being sent now. */
  isBacklogged(): boolean;
  /** Ends the attempt (TERM, grace, KILL); its `finished` report says `cancelled`. Unknown ids are ignored. */
  cancel(attemptId: string, reason: string): void;
  /** Stops taking work, ends what runs after the grace period, resolves when every process is gone. */
  stop(graceMs: number): Promise<void>;
}

/** One environment's storage root. Every location is relative to it and contained in it. */
export interface Storage {
  /** Creates empty staging folders for the outputs and (links to) pinned versions for the inputs; returns absolute folders by variable. */
  stage(assignment: StageRequest): Promise<Staged>;
  /**
   * Absolute folder of an input's version, which stays until `release(holder)`; throws `not_found` when it is gone,
   * `conflict` when it is not the one that was pinned.
   */
  pinned(read: InputBinding, version: PinnedVersion, holder: string): Promise<string>;
  /** What was pinned for that holder is not needed any more; one that holds nothing is no error. */
  release(holder: string): void;
  /** The same as a URI that ends in `/`; nothing is copied to this machine. */
  pinnedUri(read: InputBinding, version: PinnedVersion): Promise<string>;
  /** Hashes what was written, writes the manifests, moves what was staged into immutable version folders. Refuses links and names that leave it. */
  seal(staged: Staged, about: ManifestAbout): Promise<readonly PublishedVersion[]>;
  /** Removes what an attempt left that is no version: staging, and objects below its URIs; never throws. */
  discard(staged: Staged): Promise<void>;
  /** Makes `location` show that version (null: nothing) to people and other tools; ignores a lower fence than what it shows. */
  project(location: string, version: string | null, fence: number): Promise<void>;
  /** True when a file or folder is there. */
  exists(location: string): Promise<boolean>;
  /** Absolute folder of a version; throws `not_found` when it is gone. */
  folder(version: string): Promise<string>;
  /** Whether the version that was published as `manifestHash` is there with all its files, each of its size. */
  isWhole(version: string, manifestHash: string): Promise<boolean>;
  /** Keeps a file that an attempt left for people, beside its log. */
  writeArtefact(key: ArtefactKey, content: Buffer): Promise<void>;
  /** Null when there is none. */
  readArtefact(key: ArtefactKey): Promise<Buffer | null>;
  writeEvidence(key: EvidenceKey, result: AttemptResult): Promise<void>;
  readEvidence(key: EvidenceKey): Promise<AttemptResult | null>;
}

export interface StageRequest {
  readonly attemptId: string;
  readonly runId: string;
  readonly reads: readonly InputBinding[];
  readonly writes: readonly OutputBinding[];
  /** The storage of another environment, for versions that lie there; may be left out when none does. */
  readonly elsewhere?: (environment: string) => Pick<Storage, 'pinned' | 'release' | 'pinnedUri'>;
  /** Variables are to hold URIs; versions that are written right where they stay have this fence in their names. Absent: folders. */
  readonly uris?: { readonly fence: number };
}

export interface Staged {
  readonly attemptId: string;
  /** Root of this attempt's staging area (absolute). */
  readonly root: string;
  /** Absolute folder for each `PATH_*` / `OUT_*` variable; or its URI, one a line for each version that is read. */
  readonly folders: Readonly<Record<string, string>>;
  readonly writes: readonly OutputBinding[];
  /** By variable: the version that the attempt writes right where it stays. Absent: it writes to folders below `root`. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Lets go of versions of other environments; `discard` calls it. Absent: none are held. */
  readonly releaseElsewhere?: () => void;
}

/** What a manifest says besides its files. */
export interface ManifestAbout {
  readonly release: string;
  readonly pipeline: string;
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly attempt: number;
  readonly fence: number;
}

export interface EvidenceKey {
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly fence: number;
}

export interface ArtefactKey extends LogKey {
  /** One file name, such as `notebook.ipynb`. */
  readonly name: string;
}

/** Where an attempt's log goes and comes from. Lines are numbered from 1. */
export interface LogStore {
  open(attempt: LogKey): Promise<LogWriter>;
  /** Lines from `fromLine` on, at most `limit`; `complete` once the attempt's log is closed and read to its end. */
  read(attempt: LogKey, options: { fromLine: number; limit: number }): Promise<LogPage>;
  /** Line numbers (at most `limit`) whose text contains `text`, ignoring case and ANSI codes. */
  search(attempt: LogKey, text: string, limit: number): Promise<readonly number[]>;
  /** Calls back with each new line until the signal aborts or the log is closed. */
  follow(
    attempt: LogKey,
    fromLine: number,
    onLines: (lines: readonly LogLine[]) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

export interface LogKey {
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly number: number;
}

export interface LogWriter {
  /**
   * Each text may be several lines, with newlines between them, which are numbered one by one. Null: go on. Otherwise whoever
   * can hold back what comes next should until it resolves: what is written waits in memory.
   */
  write(texts: readonly Omit<LogLine, 'n'>[]): Promise<void> | null;
  /** Flushes and marks the log complete; returns the number of lines. */
  close(): Promise<number>;
}

export interface LogLine {
  readonly n: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly stream: 'out' | 'err' | 'sys';
  readonly text: string;
  /** Rank of the replica that wrote it. Absent: the attempt has no replicas, or it is about all of them. */
  readonly rank?: number;
}

export interface LogPage {
  readonly lines: readonly LogLine[];
  readonly nextLine: number;
  readonly complete: boolean;
}

/**
 * Whole contents by key below one root, in a folder or in a bucket. A key is a relative path with forward slashes; one
 * that leaves the root is refused with `bad_request`. A content is there wholly or not at all, and once `put` resolves it
 * survives a crash. Throws `unavailable` when the other side does not answer or refuses us.
 */
export interface ObjectStore {
  /** What people call the root: an absolute folder or `s3://bucket/prefix`. */
  readonly name: string;
  /** Null when there is none. */
  get(key: string): Promise<Buffer | null>;
  /** Replaces what is there. */
  put(key: string, content: Buffer | string): Promise<void>;
  /** Bytes of each, in their order; null where there is none. */
  sizes(keys: readonly string[]): Promise<readonly (number | null)[]>;
  /** Everything below a folder, however deep, by key; empty when there is nothing. */
  list(folder: string): Promise<readonly StoredObject[]>;
  /** No error when there is none. */
  remove(key: string): Promise<void>;
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** Epoch milliseconds. */
  readonly changedAt: number;
}

/** Unpacked, read-only copies of releases. */
export interface ReleaseFiles {
  /** Absolute folder that holds the release's `dags/` content; verified on unpack, reused afterwards. */
  folder(digest: string): Promise<string>;
}

/** One alert on its way to one channel; built by the engine, formatted by the sender. */
export interface AlertMessage {
  /** Stable over re-sends; goes into Slack's metadata and the mail's Message-ID. */
  readonly id: string;
  readonly event: AlertEvent;
  readonly environment: string;
  readonly pipeline: string;
  readonly runId: string;
  readonly release: string;
  readonly interval: { readonly start: string; readonly end: string } | null;
  readonly owner: string;
  /** `Task "train" failed on try 2 of 2: exit code 3`. */
  readonly title: string;
  readonly details: readonly { readonly label: string; readonly value: string }[];
  /** Last lines of the log of the task that failed, without ANSI codes; may be empty. */
  readonly logTail: readonly string[];
  /** Absolute URL of the run page, and of the log line if known. */
  readonly runUrl: string;
  readonly logUrl: string | null;
  readonly at: string;
  /** A promotion that may be approved or rejected where the message is shown, under the plan it was asked for. */
  readonly decision?: { readonly promotion: string; readonly planHash: string };
  /** For a build that waits for a promotion: which of its inputs is answered, and how. */
  readonly input?: { readonly id: string; readonly answer: InputAnswer };
}

/** Sends to one kind of channel. */
export interface AlertSender {
  readonly kind: 'slack' | 'email' | 'jenkins';
  /**
   * Sends `message` to `target` (a channel, an address or a build). `thread` is what an earlier send for the same run and
   * target returned; with it, Slack edits its message and adds a reply, mail refers to the earlier one.
   * `inDoubt` says that an earlier try may have arrived: look for the id first where that is possible.
   */
  send(target: string, message: AlertMessage, thread: string | null, inDoubt: boolean): Promise<SendResult>;
}

export type SendResult =
  | { readonly kind: 'sent'; readonly thread: string; readonly detail: string }
  /** Try again; `afterMs` when the other side said how long to wait. */
  | { readonly kind: 'retry'; readonly afterMs: number | null; readonly error: string }
  /** It will never succeed (unknown channel, bad address). */
  | { readonly kind: 'rejected'; readonly error: string };

/** Wall clock. Injected, so that tests own time. */
export interface Clock {
  now(): Date;
  /** Calls `callback` after `ms`; returns a function that cancels it. */
  schedule(ms: number, callback: () => void): () => void;
}
