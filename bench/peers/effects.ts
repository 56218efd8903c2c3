import type { Pipeline, Round, Task } from './workloads.ts';

/** The line that one try of a task left, in ms of CLOCK_MONOTONIC. */
export interface Effect {
  readonly engine: string;
  /** `PIPELINE#ID`, the id being the engine's. */
  readonly run: string;
  readonly task: string;
  readonly tryNumber: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly pid: number;
}

/**
 * Lines `engine,run,task,try,start_ns,end_ns,pid`. Bash knows no monotonic clock: its lines have `r` and seconds of
 * CLOCK_REALTIME instead, and `realtimeAheadMs` translates them.
 */
export function parseEffects(text: string, realtimeAheadMs: number): Effect[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = line.split(',');
      const [engine = '', run = '', task = '', tryNumber, start = '', end = '', pid] = fields;
      const ms = (stamp: string): number =>
        stamp.startsWith('r') ? Number(stamp.slice(1)) * 1000 - realtimeAheadMs : Number(stamp) / 1e6;
      const effect = {
        engine,
        run,
        task,
        tryNumber: Number(tryNumber),
        startMs: ms(start),
        endMs: ms(end),
        pid: Number(pid),
      };
      if (fields.length !== 7 || Number.isNaN(effect.startMs + effect.endMs + effect.pid + effect.tryNumber))
        throw new Error(`a broken line of effects: ${line}`);
      return effect;
    });
}

/** What is wrong with the effects of a round: tasks that did not run, ran twice, or began before what they need had ended. */
export function problemsOf(pipelines: readonly Pipeline[], round: Round, effects: readonly Effect[]): string[] {
  const problems: string[] = [];
  const byRun = grouped(effects, ({ run }) => run);
  const asked = grouped(round.runs, (name) => name);
  const done = grouped(byRun.keys(), pipelineOf);
  for (const name of new Set([...asked.keys(), ...done.keys()])) {
    const [wanted, got] = [asked.get(name)?.length ?? 0, done.get(name)?.length ?? 0];
    if (wanted !== got) problems.push(`${name}: ${got} runs left lines, ${wanted} were asked for`);
  }
  const known = new Map(pipelines.map((pipeline) => [pipeline.name, pipeline]));
  for (const [run, own] of byRun) {
    const pipeline = known.get(pipelineOf(run));
    if (pipeline === undefined) problems.push(`${run}: no such pipeline`);
    else problems.push(...problemsOfRun(pipeline, run, own));
  }
  return problems;
}

function problemsOfRun(pipeline: Pipeline, run: string, effects: readonly Effect[]): string[] {
  const problems: string[] = [];
  const byTask = grouped(effects, ({ task }) => task);
  const ids = new Set(pipeline.tasks.map(({ id }) => id));
  for (const task of byTask.keys()) if (!ids.has(task)) problems.push(`${run}: no task ${task}`);
  for (const { id } of pipeline.tasks) {
    const times = byTask.get(id)?.length ?? 0;
    if (times !== 1) problems.push(`${run}: ${id} ran ${times} times`);
  }
  return [...problems, ...orderProblemsOf(pipeline.tasks, effects).map((problem) => `${run}: ${problem}`)];
}

/** Tasks that began before what they need had ended, the first time that each did. */
export function orderProblemsOf(tasks: readonly Pick<Task, 'id' | 'needs'>[], effects: readonly Effect[]): string[] {
  const byTask = grouped(effects, ({ task }) => task);
  return tasks.flatMap(({ id, needs }) => {
    const start = byTask.get(id)?.[0]?.startMs ?? Infinity;
    const early = needs.find((need) => (byTask.get(need)?.[0]?.endMs ?? 0) > start + CLOCKS_APART_MS);
    return early === undefined ? [] : [`${id} began before ${early} had ended`];
  });
}

/** Lines of bash and of others are of two clocks that are translated to within this. */
const CLOCKS_APART_MS = 0.2;

export function pipelineOf(run: string): string {
  return run.slice(0, run.lastIndexOf('#'));
}

/** In the order in which the keys first come. */
export function grouped<T>(values: Iterable<T>, keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}
