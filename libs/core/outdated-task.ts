import { changesBetween } from './diff-pipelines.ts';
import { differingFiles, listNames } from './explain-miss.ts';
import type { CompiledTask } from './pipeline.ts';

/** A task as a release has it, with the digests of the release's files by path. */
export interface TaskInRelease {
  readonly task: CompiledTask;
  readonly files: ReadonlyMap<string, string>;
}

/** Locks of what tasks import; they count for every task. */
const LOCKS = ['package.json', 'package-lock.json', 'requirements.txt'];

/**
 * What of a task is other now than in the release that executed it: fields of its definition, and files that it names; null:
 * nothing. What its files import is not known.
 */
export function whyOutdated(then: TaskInRelease, now: TaskInRelease): string | null {
  const fields = changesBetween(meaningOf(then.task), meaningOf(now.task)).map(({ field }) => field);
  const named = JSON.stringify([then.task.body, now.task.body]);
  const plugin = now.task.body.kind === 'uses' ? `plugins/${now.task.body.plugin}/` : null;
  const files = differingFiles(now.files, then.files).filter(
    (file) => LOCKS.includes(file) || named.includes(file) || (plugin !== null && file.startsWith(plugin)),
  );
  const names = [...fields, ...files];
  return names.length === 0 ? null : `${listNames(names)} changed`;
}

/** What decides what it does; when and where it does it is left out. */
function meaningOf({ body, env, matrix, reads, writes, secrets, metrics, checks, tableChecks, gate }: CompiledTask) {
  return { body, env, matrix, reads, writes, secrets, metrics, checks, tableChecks, gate };
}
