import type { Plugin } from './plugin.ts';
import type { PromotionRules } from './promotion.ts';
import type { Replicas } from './replicas.ts';
import type { Resources } from './resources.ts';
import type { TriggerRule } from './states.ts';
import type { Triggers } from './triggers.ts';

/** A pipeline after compilation: plain JSON, no default left open. This is what a release stores and a run is pinned to. */
export interface CompiledPipeline {
  readonly format: 1;
  readonly name: string;
  /** Path of the file inside `dags/`, with forward slashes. */
  readonly file: string;
  readonly description: string;
  readonly owner: string;
  readonly tags: readonly string[];
  readonly schedule: Schedule;
  readonly maxActiveRuns: number;
  /** Task runs of one run that may hold a slot at once; 0 means no limit. */
  readonly maxActiveTasks: number;
  readonly overlap: 'queue' | 'skip' | 'cancel_running';
  /** It is paused after so many failed scheduled runs in a row. Absent: never. */
  readonly maxConsecutiveFailedRuns?: number;
  readonly runTimeoutMs: number | null;
  /** `run.late` is raised this long after the run's creation; null: never. */
  readonly deadlineMs: number | null;
  /** JSON Schema (draft-07 subset: type, enum, minimum, maximum, pattern, …) of each parameter; `default` absent means required. */
  readonly params: Readonly<Record<string, ParamSchema>>;
  readonly paths: Readonly<Record<string, PathDeclaration>>;
  readonly env: Readonly<Record<string, string>>;
  /** In topological order; `finally` tasks come last. */
  readonly tasks: readonly CompiledTask[];
  /** By name. Absent: there are none. */
  readonly groups?: Readonly<Record<string, TaskGroup>>;
  readonly alerts: readonly AlertRule[];
  /** Overlays by environment name: only graph-neutral keys. */
  readonly environments: Readonly<Record<string, PipelineOverlay>>;
}

export type ParamSchema = Readonly<Record<string, unknown>> & { readonly type?: string; readonly default?: unknown };

export interface PathDeclaration {
  /** Template below the environment's root (and the pipeline's folder unless shared). May hold `${{ }}`. */
  readonly at: string;
  /** True drops the pipeline's name from the location, so that several pipelines share it. */
  readonly shared: boolean;
  /** `ds`: one partition per interval start; readers may ask for a window of partitions. */
  readonly partition: 'ds' | null;
}

/** When runs are created: by time (`manual`: never), and by what `triggers` names. */
export type Schedule = Timing & { readonly triggers?: Triggers };

/** All instants ISO 8601. */
type Timing =
  | { readonly kind: 'manual' }
  | (ScheduleBounds &
      ClockChanges & {
        readonly kind: 'cron';
        /** Five fields or a preset already expanded; a list when there are several. */
        readonly cron: string | readonly string[];
      })
  | (ScheduleBounds & { readonly kind: 'every'; readonly everyMs: number })
  /** Local dates and times in `timezone`, in order, none twice. */
  | (ScheduleBounds & ClockChanges & { readonly kind: 'at'; readonly moments: readonly string[] });

/** What becomes of local times that the clocks leave out or show twice. */
interface ClockChanges {
  readonly gap: 'next' | 'skip';
  readonly fold: 'first' | 'second' | 'both';
}

interface ScheduleBounds {
  readonly timezone: string;
  /** Local date or date-time in `timezone`, or null: the moment of activation is the anchor. */
  readonly start: string | null;
  /** Inclusive on the interval's start. */
  readonly end: string | null;
  readonly catchup: Catchup;
  /** The run of an interval is created when it begins. Absent: when it ends. */
  readonly run?: 'at_start';
  /** Runs are created so long after their fire: the pipeline's share of `jitter`. Absent: at the fire. */
  readonly delayMs?: number;
}

/** `none`: only the latest complete interval; `all`: everything since `start`; `bounded`: nothing older than `maxAgeMs`. */
export type Catchup =
  | { readonly kind: 'none' }
  | { readonly kind: 'all'; readonly order: 'oldest_first' | 'newest_first' }
  | { readonly kind: 'bounded'; readonly maxAgeMs: number; readonly order: 'oldest_first' | 'newest_first' };

/** Tasks that belong together. */
export interface TaskGroup {
  readonly description: string;
  /** Ids of what it needs, sorted; its first tasks have them among theirs. */
  readonly upstream: readonly string[];
  /** The fan-out of each of its tasks, which then go on item by item; null: they stand together, and that is all. */
  readonly matrix: Matrix | null;
  /** Items under way at once; 0 means no limit. */
  readonly maxParallel: number;
  readonly maxFanout: number;
}

export interface CompiledTask {
  readonly id: string;
  readonly body: TaskBody;
  /** Ids of upstream tasks: `needs` (globs expanded) plus edges from paths; sorted, unique. */
  readonly upstream: readonly string[];
  readonly when: TriggerRule;
  /** CEL without the `${{ }}`; null: always. */
  readonly condition: string | null;
  /** In a group that fans out it is the group's. */
  readonly matrix: Matrix | null;
  /** Absent: it is in none. */
  readonly group?: string;
  /** In a group that fans out: its own fan-out within each item. Absent: it has none. */
  readonly inner?: { readonly matrix: Matrix; readonly maxFanout: number };
  /** Simultaneous task runs of this task; 0 means no limit. */
  readonly maxParallel: number;
  readonly maxFanout: number;
  readonly reads: readonly ReadDeclaration[];
  /** Names of paths of this pipeline. */
  readonly writes: readonly string[];
  /** It reads and writes URIs of the storage itself. Absent: folders. */
  readonly io?: 'uri';
  readonly retries: RetryPolicy;
  readonly timeoutMs: number | null;
  readonly pool: string;
  readonly slots: number;
  readonly priority: number;
  /** What an attempt takes of the machine that executes it. Absent: nothing that is counted. */
  readonly resources?: Resources;
  /** Processes that execute an attempt together; `slots` and `resources` are what each of them takes. Absent: one does. */
  readonly replicas?: Replicas;
  /** True: a failure counts in trigger rules, but not in the run's verdict. */
  readonly catch: boolean;
  /** True for tasks under `finally:`. */
  readonly final: boolean;
  /** Values may hold `${{ }}`. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  /** Declared metric names. */
  readonly metrics: readonly string[];
  readonly checks: readonly { readonly name: string; readonly expr: string; readonly onFail: 'fail' | 'warn' }[];
  /** Over the rows of files that it writes. Absent: none. */
  readonly tableChecks?: readonly TableCheck[];
  readonly gate: TaskGate | null;
  /**
   * Its result is taken from an earlier run that saw the same. `files`: the files of the release that it uses besides
   * its own, as globs below `dags/`; null: any of them. Absent: it is always executed.
   */
  readonly cache?: { readonly files: readonly string[] | null };
  /**
   * It waits until it, and with `downstream` what directly follows it, ended well in the interval before. Absent: it does not.
   */
  readonly past?: { readonly downstream: boolean };
  /** True: it reads from somewhere else than its paths, so what it writes cannot be verified. Absent: it does not. */
  readonly network?: true;
  /** Numbers in JSON and CSV files may differ by this much when the run is verified. Absent: not at all. */
  readonly tolerance?: number;
  /** 1-based line of the task in its file. */
  readonly line: number;
  /** Where a task that comes from parts was written, nearest first: `_all.yaml:3`. Absent: in the pipeline's file alone. */
  readonly origin?: readonly string[];
}

/** What must be so before what a task made counts. */
export interface TaskGate {
  readonly expr: string;
  readonly onFail: 'fail' | 'skip_downstream' | 'needs_approval';
  /** Of `needs_approval`: who may answer, and until when. */
  readonly asks?: WaitLimits & { readonly groups: readonly string[] };
}

/** What rows that a task writes must be. */
export interface TableCheck {
  readonly name: string;
  /** A path that the task writes. */
  readonly path: string;
  /** `quarantine`: bad rows are put aside, and the others published. */
  readonly onFail: 'fail' | 'warn' | 'quarantine';
  readonly test: TableTest;
}

export type TableTest =
  | { readonly kind: 'not_null'; readonly columns: readonly string[] }
  | { readonly kind: 'unique'; readonly columns: readonly string[] }
  | { readonly kind: 'range'; readonly column: string; readonly min: number | null; readonly max: number | null }
  | { readonly kind: 'values'; readonly column: string; readonly values: readonly (string | number | boolean)[] }
  /** `last` and `within`: at most that share away from the mean of so many successful runs. */
  | {
      readonly kind: 'rows';
      readonly min: number | null;
      readonly max: number | null;
      readonly last: number | null;
      readonly within: number | null;
    }
  | { readonly kind: 'fresh'; readonly column: string; readonly withinMs: number }
  /** A select over the path by its name, whose rows are the bad ones. */
  | { readonly kind: 'sql'; readonly text: string };

/** Path, among those of a task's versions, under which the rows that a check put aside are found. */
export function quarantineOf(path: string): string {
  return `${path}.quarantine`;
}

export type TaskBody =
  /** Shell text; `${{ }}` already replaced by references to `__E1`, `__E2`, … whose CEL is in `expressions`. */
  | { readonly kind: 'run'; readonly script: string; readonly expressions: Readonly<Record<string, string>> }
  /** `file#export`, file relative to `dags/`. */
  | { readonly kind: 'node'; readonly file: string; readonly export: string }
  /** Either a file relative to `dags/` (function null: run it as a script) or a module with a function. */
  | {
      readonly kind: 'python';
      readonly file: string | null;
      readonly module: string | null;
      readonly function: string | null;
    }
  | {
      readonly kind: 'notebook';
      /** Relative to `dags/`. */
      readonly file: string;
      /** Besides those of the run, and before them. Texts may hold `${{ }}`. */
      readonly params: Readonly<Record<string, unknown>>;
      readonly save: FilePlace | null;
    }
  | (SparkFiles & {
      readonly kind: 'spark';
      /** What the program is called with. Texts may hold `${{ }}`. */
      readonly args: readonly unknown[];
      /** Texts may hold `${{ }}`. */
      readonly conf: Readonly<Record<string, unknown>>;
      /** Text, which may be one `${{ }}`; null: threads of this machine, as many as the task asks for processors. */
      readonly master: string | null;
    })
  /** A `.sql` file relative to `dags/`, or inline text; `${{ }}` replaced by `getvariable('__E1')`. */
  | {
      readonly kind: 'sql';
      readonly file: string | null;
      readonly text: string | null;
      readonly expressions: Readonly<Record<string, string>>;
    }
  /** One request. Texts of `url`, `query`, `headers` and `content` may hold `${{ }}`. */
  | (HttpExpectation & {
      readonly kind: 'http';
      readonly method: string;
      readonly url: string;
      readonly query: Readonly<Record<string, unknown>>;
      /** By name in lower case. */
      readonly headers: Readonly<Record<string, string>>;
      readonly content: { readonly json: unknown } | { readonly text: string } | null;
    })
  | {
      readonly kind: 'uses';
      readonly plugin: string;
      /** As written: `1`, `1.2` or `1.2.3`. */
      readonly wanted: string;
      /** Its texts may hold `${{ }}`. */
      readonly with: Readonly<Record<string, unknown>>;
      /** The plugin of the release; null: only this file was looked at. */
      readonly found: Plugin | null;
    }
  /** No attempt is made: the task ends when the condition holds, or by `onTimeout`. */
  | (WaitLimits & { readonly kind: 'wait'; readonly condition: WaitCondition; readonly everyMs: number })
  /** No attempt is made: the task ends when somebody continues or rejects it. */
  | (WaitLimits & {
      readonly kind: 'approve';
      /** What is asked. May hold `${{ }}`. */
      readonly message: string;
      /** Who may answer: members of any of these; empty: whoever has the right. */
      readonly groups: readonly string[];
    })
  /** No attempt is made: a run of another pipeline is started, and its end is the task's. */
  | (WaitLimits & {
      readonly kind: 'call';
      readonly pipeline: string;
      /** Texts may hold `${{ }}`; a text that is nothing else keeps the value's type. */
      readonly params: Readonly<Record<string, unknown>>;
    });

/** What spark-submit is given of the release and of Maven. */
export interface SparkFiles {
  /** A `.py` or `.jar` file relative to `dags/`. */
  readonly file: string;
  /** Main class of a `.jar`; null: the one that its manifest names. */
  readonly mainClass: string | null;
  /** `.py`, `.zip` and `.egg` files relative to `dags/`. */
  readonly pyFiles: readonly string[];
  /** Coordinates `group:artifact:version`. */
  readonly packages: readonly string[];
}

/** A file below a path that the task writes. */
export interface FilePlace {
  readonly path: string;
  readonly file: string;
}

/** What an HTTP answer must be, and what becomes of it. */
export interface HttpExpectation {
  /** By name in lower case: the secret, and what stands before it. */
  readonly secretHeaders: Readonly<Record<string, { readonly secret: string; readonly prefix: string }>>;
  /** Empty: 200 to 299. */
  readonly status: readonly number[];
  /** CEL over `response`; null: the status alone says it. */
  readonly expr: string | null;
  /** CEL over `response` by output; empty: `status`. */
  readonly outputs: Readonly<Record<string, string>>;
  /** What takes the answer; null: it is not kept. */
  readonly save: FilePlace | null;
  /** From the first byte asked to the last one answered. */
  readonly requestTimeoutMs: number;
}

interface WaitLimits {
  /** Counted from when the task would have begun; null: it waits for as long as it takes. */
  readonly timeoutMs: number | null;
  readonly onTimeout: 'fail' | 'skip';
}

/** What a `wait` task waits for; texts may hold `${{ }}`, which are rendered once, when the wait begins. */
export type WaitCondition =
  /** A file or folder below the environment's storage root. */
  | { readonly kind: 'path'; readonly at: string }
  /** A published partition of another pipeline's path. */
  | { readonly kind: 'dataset'; readonly pipeline: string; readonly path: string }
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly status: readonly number[];
      /** CEL over `response`; null: the status alone says it. */
      readonly expr: string | null;
      readonly headers: Readonly<Record<string, string>>;
      /** Name of the secret that is sent as `Authorization: Bearer …`. */
      readonly bearer: string | null;
    }
  /** A successful run of another pipeline for the same interval. */
  | { readonly kind: 'run'; readonly pipeline: string }
  /** An instant: CEL that gives a timestamp or its text. */
  | { readonly kind: 'time'; readonly expr: string }
  /** CEL that gives true or false; it knows `now`. */
  | { readonly kind: 'expr'; readonly expr: string };

export type Matrix =
  /** Cross product of literal lists; index order is list order, the last axis fastest. */
  | { readonly kind: 'literal'; readonly axes: Readonly<Record<string, readonly unknown[]>> }
  /** Axes given by CEL; each must evaluate to a list. Literal axes may stand beside them. */
  | {
      readonly kind: 'dynamic';
      readonly axes: Readonly<Record<string, { readonly expr: string } | { readonly list: readonly unknown[] }>>;
    };

export interface ReadDeclaration {
  /** Name under which the task sees it: `$PATH_<ALIAS>`. */
  readonly alias: string;
  /** Pipeline that declares the path; null: this one. */
  readonly pipeline: string | null;
  readonly path: string;
  /** Window of partitions ending with this run's interval, in milliseconds; null: the one version. */
  readonly lastMs: number | null;
  readonly missing: 'ok' | 'fail' | 'wait';
}

export interface RetryPolicy {
  readonly max: number;
  readonly delayMs: number;
  /** Factor from one delay to the next; 1: constant. */
  readonly backoff: number;
  readonly maxDelayMs: number;
  /** Share of the delay that may be added, chosen by hash; 0: none. */
  readonly jitter: number;
  /** Which ends are retried; null: any failure, time-outs included. */
  readonly on: readonly (number | 'timeout' | 'lost')[] | null;
}

/** What a pipeline can ask to be told of. */
export const RUN_EVENTS = [
  'run.failed',
  'run.late',
  'run.recovered',
  'task.retrying',
  'task.approval',
  'pipeline.paused',
  'check.warned',
] as const;
/** What an environment tells of. */
export const ALERT_EVENTS = [
  ...RUN_EVENTS,
  'run.drifted',
  'run.looping',
  'promotion.waiting',
  'promotion.approved',
  'promotion.switched',
  'promotion.verified',
  'promotion.failed',
  'promotion.rolled_back',
] as const;
export type AlertEvent = (typeof ALERT_EVENTS)[number];

export interface AlertRule {
  readonly on: readonly AlertEvent[];
  /** `slack:#channel`, `email:a@b`. */
  readonly to: readonly string[];
}

/** What may differ between environments; absent keys keep the pipeline's own value. */
export interface PipelineOverlay {
  readonly schedule?: Schedule;
  readonly paused?: boolean;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly pool?: string;
  /** Of every task that asks for resources: what it asks for here. */
  readonly resources?: Resources;
  /** Of every task that has replicas: how many here. */
  readonly replicas?: Replicas;
  readonly alerts?: readonly AlertRule[];
}

/** `environments/<name>.yaml` after parsing. */
export interface EnvironmentConfig {
  readonly name: string;
  /** `file:///…` root, already absolute. */
  readonly storage: string;
  readonly schedules: 'active' | 'paused';
  readonly vars: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, unknown>>;
  /** Where each secret comes from; never its value. */
  readonly secrets: Readonly<Record<string, SecretSource>>;
  readonly pools: Readonly<Record<string, number>>;
  /** What all tasks together may take here. Absent: as much as the machines have that execute them. */
  readonly resources?: Resources;
  readonly alerts: {
    readonly slack: {
      readonly channel: string;
      readonly token: SecretSource | null;
      readonly apiUrl: string | null;
      /** Who the members of the workspace are: name of the token whose rights count, by member id. */
      readonly approvers: Readonly<Record<string, string>>;
    } | null;
    readonly email: {
      readonly to: readonly string[];
      readonly from: string;
      readonly smtp: SecretSource | string | null;
    } | null;
    readonly on: readonly AlertEvent[];
    readonly mute: readonly AlertEvent[];
  };
  /** Folders outside the storage that tasks may read, as `$DATA_<NAME>`; absolute. */
  readonly data: Readonly<Record<string, string>>;
  /** Other environments whose paths may be read here. */
  readonly grants: readonly { readonly read: string; readonly paths: readonly string[] }[];
  readonly logs: { readonly maxBytes: number; readonly maxLineBytes: number };
  /** How releases come into this environment. */
  readonly promotion: PromotionRules;
  /** How often, and how many, scheduled runs are executed again to see whether they write the same; null: never. */
  readonly verifySample: { readonly everyMs: number; readonly runs: number } | null;
  readonly retentionDays: number | null;
}

export type SecretSource = { readonly env: string } | { readonly file: string };
