import type { Args } from './args.ts';
import type { AssetCondition } from './assets.ts';
import type { Place, Report } from './report.ts';

/** A DAG as either source describes it, before anything is decided about it. */
export interface AirflowDag {
  readonly id: string;
  readonly place: Place;
  /** Without tasks and schedule. */
  readonly args: Args;
  readonly schedule: AirflowSchedule;
  readonly schedulePlace: Place;
  readonly timezone: string | null;
  readonly tasks: readonly AirflowTask[];
  /** For what is to be said about this DAG. */
  readonly report: Report;
}

export interface AirflowTask {
  /** With the groups it stands in: `reports.daily`. */
  readonly id: string;
  readonly place: Place;
  /** The class, `BashOperator`, or the decorator, `@task.branch`. */
  readonly operator: string;
  /** What it is given, all default_args applied. */
  readonly args: Args;
  readonly upstream: readonly string[];
  readonly callable: AirflowCallable | null;
  readonly expand: Expand | null;
  /** The innermost group that it stands in, with those around: `reports.daily`. */
  readonly group: string | null;
  /** The group that is mapped as a whole, if it stands in one. */
  readonly mappedGroup: { readonly id: string; readonly expand: Expand | null } | null;
}

/** Python code that a task calls. */
export interface AirflowCallable {
  /** Null: the source does not say where it is, or it is inside a DAG file that cannot be imported without Airflow. */
  readonly module: string | null;
  readonly name: string;
  /** As the source names it; null: it names none. */
  readonly file: string | null;
}

/** What a task is mapped over. */
export interface Expand {
  /** Lists, maps, or an `xcom` by the name of what takes each value. */
  readonly axes: Readonly<Record<string, unknown>>;
  /** Whether the names are arguments of the Python function, not of the operator. */
  readonly ofFunction: boolean;
  readonly place: Place;
}

export type AirflowSchedule =
  | { readonly kind: 'none' }
  /** `start`: a run is about what follows its fire (CronTriggerTimetable); `end`: about what lies before it. */
  | { readonly kind: 'cron'; readonly crons: readonly string[]; readonly timezone: string | null; readonly run: RunAt }
  | { readonly kind: 'every'; readonly seconds: number; readonly run: RunAt }
  /** Moments, ISO 8601. */
  | { readonly kind: 'at'; readonly moments: readonly string[] }
  /** `time`: what starts runs besides; null: nothing. */
  | { readonly kind: 'assets'; readonly condition: AssetCondition; readonly time: AirflowSchedule | null }
  | { readonly kind: 'other'; readonly what: string; readonly hint: string };

export type RunAt = 'start' | 'end';
