import type { TaskState } from './states.ts';
import type { ToolChange } from './tool-versions.ts';

/*
 * Is what a run wrote the same when it is executed again? Files are compared by their SHA-256; a run's files were written
 * by its tasks, and the first task that differs is the one to look at: what follows it had other inputs.
 */

export const VERDICTS = ['reproducible', 'drifted', 'not_comparable'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface FileContent {
  /** Below the output, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A task run then and now. */
export interface TaskPair {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly mapKey: string;
  /** Null: there was, or is, no such task run. */
  readonly before: TaskState | null;
  readonly after: TaskState | null;
  /** Why it was not executed again; null: it was. */
  readonly excluded: string | null;
  readonly outputs: readonly OutputPair[];
}

/** The files of one path that the task writes; null: it wrote nothing there. */
export interface OutputPair {
  readonly name: string;
  readonly before: readonly FileContent[] | null;
  readonly after: readonly FileContent[] | null;
}

export interface FileDrift {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly mapKey: string;
  /** Name of the path, and the file below it. */
  readonly output: string;
  readonly file: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before: FileContent | null;
  readonly after: FileContent | null;
}

export interface TaskVerdict {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly mapKey: string;
  /** `close`: not the same bytes, but the numbers are within the tolerance that the task declares. */
  readonly verdict: 'same' | 'close' | 'drifted' | 'not_comparable';
  readonly reason: string | null;
  /** Files of either side. */
  readonly files: number;
  readonly drifted: number;
}

export interface Comparison {
  readonly verdict: Verdict;
  /** One sentence. */
  readonly detail: string;
  /** In the order given; those that say something first when there are more than `MOST_TASKS`. */
  readonly tasks: readonly TaskVerdict[];
  /** In the order of tasks, at most `MOST_DRIFTS`; `drifted` says how many there are. */
  readonly drifts: readonly FileDrift[];
  readonly files: number;
  readonly drifted: number;
  /** What executes tasks now in another version than then; null: not known. */
  readonly tools: readonly ToolChange[] | null;
}

export const MOST_DRIFTS = 200;
export const MOST_TASKS = 500;

/** `tasks` in the order of the pipeline. `close` names files (see `driftKey`) that are within their task's tolerance. */
export function compareOutputs(
  tasks: readonly TaskPair[],
  close: ReadonlySet<string> = new Set(),
  tools: Comparison['tools'] = null,
): Comparison {
  const drifts: FileDrift[] = [];
  const verdicts = tasks.map((task) => {
    const all = task.excluded === null ? driftsOf(task) : [];
    const real = all.filter((drift) => !close.has(driftKey(drift)));
    drifts.push(...real);
    return verdictOf(task, real, all.length - real.length);
  });
  const files = verdicts.reduce((sum, one) => sum + one.files, 0);
  const verdict = overall(verdicts);
  return {
    verdict,
    detail: `${sentence(verdict, verdicts, drifts, files)}${toolSentence(tools ?? [])}`,
    tasks: bounded(verdicts),
    drifts: drifts.slice(0, MOST_DRIFTS),
    files,
    drifted: drifts.length,
    tools,
  };
}

function toolSentence(tools: readonly ToolChange[]): string {
  if (tools.length === 0) return '';
  const changes = tools.map(
    ({ tool, before, after }) => `${tool} ${before ?? 'absent'} then and ${after ?? 'absent'} now`,
  );
  return ` Executed by other versions: ${changes.join('; ')}.`;
}

/** The comparison of a run that cannot be compared as a whole. */
export function notComparable(detail: string, tasks: readonly TaskVerdict[] = []): Comparison {
  return { verdict: 'not_comparable', detail, tasks: bounded(tasks), drifts: [], files: 0, drifted: 0, tools: null };
}

/** Every file of the task that is not the same, by output and name. */
export function driftsOf({ taskId, mapIndex, mapKey, outputs }: TaskPair): FileDrift[] {
  const about = { taskId, mapIndex, mapKey };
  return [...outputs]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((output) =>
      differences(output).map((difference): FileDrift => ({ ...about, output: output.name, ...difference })),
    );
}

/** Names one drift among all of a comparison. */
export function driftKey({ taskId, mapIndex, output, file }: FileDrift): string {
  return `${taskId}/${mapIndex}/${output}/${file}`;
}

type Difference = Pick<FileDrift, 'file' | 'change' | 'before' | 'after'>;

function differences({ before, after }: OutputPair): Difference[] {
  const old = new Map((before ?? []).map((file) => [file.path, file]));
  const now = new Map((after ?? []).map((file) => [file.path, file]));
  const found: Difference[] = [];
  for (const file of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const [was, is] = [old.get(file) ?? null, now.get(file) ?? null];
    if (was?.sha256 === is?.sha256) continue;
    found.push({
      file,
      change: was === null ? 'added' : is === null ? 'removed' : 'changed',
      before: was,
      after: is,
    });
  }
  return found;
}

function verdictOf(task: TaskPair, drifts: readonly FileDrift[], closeFiles: number): TaskVerdict {
  const { taskId, mapIndex, mapKey, before, after, excluded } = task;
  const files = task.outputs.reduce((sum, { before: was, after: is }) => sum + namesOf(was, is).size, 0);
  const about = { taskId, mapIndex, mapKey, files, drifted: drifts.length };
  if (excluded !== null) return { ...about, verdict: 'not_comparable', reason: excluded, files: 0 };
  if (before !== after) {
    const reason = `it ended ${before ?? 'without having begun'} then, and ${after ?? 'without having begun'} now`;
    return { ...about, verdict: 'drifted', reason };
  }
  if (drifts.length > 0) return { ...about, verdict: 'drifted', reason: null };
  if (closeFiles > 0) return { ...about, verdict: 'close', reason: `${closeFiles} within the tolerance` };
  return { ...about, verdict: 'same', reason: null };
}

function namesOf(...sides: readonly (readonly FileContent[] | null)[]): Set<string> {
  return new Set(sides.flatMap((files) => (files ?? []).map(({ path }) => path)));
}

function overall(verdicts: readonly TaskVerdict[]): Verdict {
  if (verdicts.some(({ verdict }) => verdict === 'drifted')) return 'drifted';
  return verdicts.some(({ verdict, files }) => verdict !== 'not_comparable' && files > 0)
    ? 'reproducible'
    : 'not_comparable';
}

function sentence(
  verdict: Verdict,
  verdicts: readonly TaskVerdict[],
  drifts: readonly FileDrift[],
  files: number,
): string {
  const left = verdicts.filter((one) => one.verdict === 'not_comparable');
  const except =
    left.length === 0 ? '' : ` Not compared: ${listed(left.map((one) => `${nameOf(one)} (${one.reason ?? ''})`))}.`;
  if (verdict === 'not_comparable') return left.length > 0 ? except.trim() : 'No task of the run wrote a file.';
  if (verdict === 'reproducible') {
    const close = verdicts.filter((one) => one.verdict === 'close');
    const within = close.length === 0 ? '' : ` (${listed(close.map(nameOf))} within the tolerance)`;
    return `${files === 1 ? 'The file is' : `All ${files} files are`} the same${within}.${except}`;
  }
  const first = verdicts.find((one) => one.verdict === 'drifted');
  if (first === undefined) return '';
  const own = drifts.find((drift) => drift.taskId === first.taskId && drift.mapIndex === first.mapIndex);
  if (first.reason !== null || own === undefined)
    return `The first difference is task ${nameOf(first)}: ${first.reason ?? ''}.${except}`;
  const how = { changed: 'differs', added: 'is new', removed: 'is missing' }[own.change];
  return `The first difference is in task ${nameOf(first)}: ${own.output}/${own.file} ${how}. ${drifts.length} of ${files} files differ.${except}`;
}

function listed(names: readonly string[]): string {
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
}

function nameOf({ taskId, mapKey }: TaskVerdict): string {
  return mapKey === '' ? taskId : `${taskId}[${mapKey}]`;
}

function bounded(verdicts: readonly TaskVerdict[]): readonly TaskVerdict[] {
  if (verdicts.length <= MOST_TASKS) return verdicts;
  const telling = verdicts.filter(({ verdict }) => verdict !== 'same');
  return [...telling, ...verdicts.filter(({ verdict }) => verdict === 'same')].slice(0, MOST_TASKS);
}
