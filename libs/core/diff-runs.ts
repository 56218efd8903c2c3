import type { InputBinding } from './attempt.ts';
import { driftsOf, type FileContent, type FileDrift } from './compare-outputs.ts';
import { changesBetween, diffPipelines, type FieldChange, type PipelineDiff } from './diff-pipelines.ts';
import type { CompiledPipeline } from './pipeline.ts';
import type { TaskState } from './states.ts';

/** One of two runs that are laid side by side. */
export interface RunSide {
  /** What it was: release, environment, interval, configuration, … */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, unknown>>;
  /** Null: its release is gone. */
  readonly pipeline: CompiledPipeline | null;
  readonly durationMs: number | null;
  readonly tasks: readonly TaskSide[];
}

export interface TaskSide {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly mapKey: string;
  readonly state: TaskState;
  readonly tries: number;
  readonly durationMs: number | null;
  readonly inputs: readonly InputBinding[];
  /** By name of the path; null: what was there is gone. */
  readonly outputs: readonly { readonly name: string; readonly files: readonly FileContent[] | null }[];
  readonly metrics: Readonly<Record<string, number>>;
}

export interface RunDiff {
  readonly facts: readonly FieldChange[];
  readonly params: readonly FieldChange[];
  /** What the two releases' pipelines differ in, by meaning. */
  readonly pipelines: readonly PipelineDiff[];
  /** Versions with other contents; where they lie is no difference. */
  readonly inputs: readonly InputChange[];
  readonly outputs: readonly FileDrift[];
  /** `task.path` whose files are gone on a side, so that nothing can be said. */
  readonly gone: readonly string[];
  readonly metrics: readonly MetricChange[];
  /** Every task run of either side, whether it took as long or not. */
  readonly timing: readonly TimingPair[];
  /** Timing apart. */
  readonly same: boolean;
  /** False: some list was cut off at `MOST_CHANGES`. */
  readonly complete: boolean;
}

export interface InputChange {
  readonly taskId: string;
  readonly name: string;
  /** Partition, or map key; empty: the only version. */
  readonly part: string;
  readonly before: InputVersion | null;
  readonly after: InputVersion | null;
}
export interface InputVersion {
  readonly location: string;
  readonly version: string;
  readonly manifestHash: string;
}
export interface MetricChange {
  readonly taskId: string;
  readonly mapKey: string;
  readonly name: string;
  readonly before: number | null;
  readonly after: number | null;
}
export interface TimingPair {
  readonly taskId: string;
  readonly mapKey: string;
  readonly before: { readonly state: TaskState; readonly tries: number; readonly durationMs: number | null } | null;
  readonly after: TimingPair['before'];
}

export const MOST_CHANGES = 1000;

/** What the second run differs in from the first. Task runs belong together by task and map key. */
export function diffRuns(before: RunSide, after: RunSide): RunDiff {
  const pairs = pairsOf(before, after);
  const outputs = pairs.flatMap(outputChanges);
  const lists = {
    facts: changesBetween(before.facts, after.facts),
    params: changesBetween(before.params, after.params),
    pipelines: pipelineChanges(before.pipeline, after.pipeline),
    inputs: pairs.flatMap(inputChanges),
    outputs: outputs.flatMap(({ drifts }) => drifts),
    gone: outputs.flatMap(({ gone }) => gone),
    metrics: pairs.flatMap(metricChanges),
  };
  const timing = pairs.map(({ old, now }): TimingPair => {
    const { taskId, mapKey } = (old ?? now) as TaskSide;
    return { taskId, mapKey, before: timingOf(old), after: timingOf(now) };
  });
  const changes = Object.values(lists).map((list) => list.length);
  return {
    ...{ facts: lists.facts, params: lists.params, pipelines: lists.pipelines },
    inputs: lists.inputs.slice(0, MOST_CHANGES),
    outputs: lists.outputs.slice(0, MOST_CHANGES),
    gone: lists.gone.slice(0, MOST_CHANGES),
    metrics: lists.metrics.slice(0, MOST_CHANGES),
    timing: timing.slice(0, MOST_CHANGES),
    same: changes.every((count) => count === 0),
    complete: [...changes, timing.length].every((count) => count <= MOST_CHANGES),
  };
}

interface Pair {
  readonly old: TaskSide | null;
  readonly now: TaskSide | null;
}

/** In the order of the first pipeline's tasks, then by map index. */
function pairsOf(before: RunSide, after: RunSide): Pair[] {
  const key = ({ taskId, mapKey }: TaskSide): string => `${taskId}/${mapKey}`;
  const now = new Map(after.tasks.map((task) => [key(task), task]));
  const old = new Map(before.tasks.map((task) => [key(task), task]));
  const order = new Map(
    [before.pipeline, after.pipeline].flatMap((each) => each?.tasks ?? []).map(({ id }, place) => [id, place]),
  );
  const place = ({ old: was, now: is }: Pair): [number, number] => {
    const task = (was ?? is) as TaskSide;
    return [order.get(task.taskId) ?? order.size, task.mapIndex];
  };
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((each): Pair => ({ old: old.get(each) ?? null, now: now.get(each) ?? null }))
    .sort((a, b) => {
      const [first, second] = [place(a), place(b)];
      return first[0] - second[0] || first[1] - second[1];
    });
}

function pipelineChanges(before: CompiledPipeline | null, after: CompiledPipeline | null): readonly PipelineDiff[] {
  // Of two different pipelines the one is not what became of the other.
  return before === null || after === null || before.name !== after.name ? [] : diffPipelines([before], [after]);
}

function inputChanges({ old, now }: Pair): InputChange[] {
  const task = (old ?? now) as TaskSide;
  // All task runs of a fan-out read the same.
  if (task.mapIndex > 0) return [];
  const [was, is] = [partsOf(old), partsOf(now)];
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((key): InputChange[] => {
    const [before, after] = [was.get(key) ?? null, is.get(key) ?? null];
    if (before?.manifestHash === after?.manifestHash) return [];
    const [name = '', part = ''] = key.split('\n');
    return [{ taskId: task.taskId, name, part, before, after }];
  });
}

function partsOf(side: TaskSide | null): Map<string, InputVersion> {
  const parts = (side?.inputs ?? []).flatMap(({ name, versions }) =>
    versions.map(({ link, location, version, manifestHash }): [string, InputVersion] => [
      `${name}\n${link ?? ''}`,
      { location, version, manifestHash },
    ]),
  );
  return new Map(parts);
}

function outputChanges({ old, now }: Pair): { readonly drifts: FileDrift[]; readonly gone: string[] } {
  const task = (old ?? now) as TaskSide;
  const names = [...new Set([...(old?.outputs ?? []), ...(now?.outputs ?? [])].map(({ name }) => name))].sort();
  const gone: string[] = [];
  const outputs = names.flatMap((name) => {
    const [was, is] = [old, now].map((side) => side?.outputs.find((output) => output.name === name));
    if (was?.files === null || is?.files === null) {
      gone.push(`${task.taskId}.${name}`);
      return [];
    }
    return [{ name, before: was?.files ?? null, after: is?.files ?? null }];
  });
  const { taskId, mapIndex, mapKey } = task;
  return { drifts: driftsOf({ taskId, mapIndex, mapKey, before: null, after: null, excluded: null, outputs }), gone };
}

function metricChanges({ old, now }: Pair): MetricChange[] {
  const { taskId, mapKey } = (old ?? now) as TaskSide;
  const [was, is] = [new Map(Object.entries(old?.metrics ?? {})), new Map(Object.entries(now?.metrics ?? {}))];
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((name): MetricChange[] => {
    const [before, after] = [was.get(name) ?? null, is.get(name) ?? null];
    return before === after ? [] : [{ taskId, mapKey, name, before, after }];
  });
}

function timingOf(side: TaskSide | null): TimingPair['before'] {
  return side === null ? null : { state: side.state, tries: side.tries, durationMs: side.durationMs };
}
