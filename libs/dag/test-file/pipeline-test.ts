import type { CompiledPipeline, EnvironmentConfig, Outcome } from '#core';
import type { TestExpectation, TestFiles } from '../shape/test-shape.ts';
import type { Position } from '../source/problem-list.ts';
import type { Path } from '../source/source-map.ts';
import type { Interval } from '../time/intervals.ts';

export type { TaskExpectation, TestExpectation, TestFiles } from '../shape/test-shape.ts';

/** One test of one pipeline, with everything in it known to exist. */
export interface PipelineTest {
  readonly name: string;
  /** Path below `dags/`. */
  readonly file: string;
  /** With the environment's overlay. */
  readonly pipeline: CompiledPipeline;
  /** Its secrets are never read, and nothing is written to its storage. */
  readonly environment: EnvironmentConfig;
  /** What it tests: a run, or what a schedule fires. */
  readonly body: RunTest | FiresTest;
  /** Where a part of the test stands in its file. */
  readonly place: (path: Path) => Position;
}

export interface RunTest {
  readonly kind: 'run';
  readonly params: Readonly<Record<string, unknown>>;
  readonly trigger: 'manual' | 'schedule' | 'event';
  readonly interval: Interval | null;
  /** A run before it failed, and was told of. */
  readonly afterFailure: boolean;
  readonly given: readonly GivenVersion[];
  /** By task. */
  readonly baseline: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Folders below `dags/` by name. */
  readonly data: Readonly<Record<string, string>>;
  /** By `task` or `task[key]`: how each try ends; the last counts for all that follow. */
  readonly outcomes: ReadonlyMap<string, readonly TestedTry[]>;
  readonly cancelAfterMs: number | null;
  readonly looks: readonly ExpectedLook[];
  readonly golden: boolean;
}

export interface ExpectedLook {
  /** After the run's creation; null: when nothing happens any more. */
  readonly afterMs: number | null;
  readonly expect: TestExpectation;
  readonly path: Path;
}

/** How an attempt ends, or that it is really executed. */
export type TestedTry =
  | { readonly kind: 'real' }
  | {
      readonly kind: 'mocked';
      readonly outcome: Outcome;
      readonly takesMs: number;
      /** To what its gate asks. */
      readonly answer: 'approve' | 'reject' | 'none';
      readonly outputs: Readonly<Record<string, unknown>>;
      readonly metrics: Readonly<Record<string, number>>;
      /** Files by path. */
      readonly writes: Readonly<Record<string, TestFiles>>;
    };

/** Something published that the run may read. */
export interface GivenVersion {
  readonly pipeline: CompiledPipeline;
  readonly path: string;
  readonly interval: Interval | null;
  /** After the run's creation; 0: before. */
  readonly afterMs: number;
  readonly files: TestFiles;
  /** A folder or file below `dags/`. */
  readonly folder: string | null;
}

export interface FiresTest {
  readonly kind: 'fires';
  readonly from: Date;
  readonly to: Date;
  /** Null: it has long been active, and everything before `from` is handled. */
  readonly activated: Date | null;
  readonly at: readonly Date[] | null;
  readonly starts: readonly Date[] | null;
  readonly count: number | null;
}
