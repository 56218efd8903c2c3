import { createHash } from 'node:crypto';
import type { CompiledTask, TaskBody } from '#core';
import { canonicalJson } from '#core';
import { filesOf, globMatches, renderJson } from '#dag';
import type { OwnedRun } from '../owned-run.ts';
import { preparedOf } from '../owned-run.ts';
import { taskValues } from '../task-values.ts';

/** Locks of what tasks import; they count for every task. */
const LOCKS = ['package.json', 'package-lock.json', 'requirements.txt'];

/**
 * Digests of everything that one task run sees, by what people call it; two task runs with the same parts do the same.
 * What only says which run it is (ids, fences, tries, the release as a whole) is no part, unless an expression asks for
 * it. Null: something of it cannot be evaluated, so that the attempt will fail and say so.
 */
export function cacheParts(
  run: OwnedRun,
  taskIndex: number,
  mapIndex: number,
  files: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> | null {
  const { record, plan, environment } = run;
  const task = plan.pipeline.tasks[taskIndex];
  const resolved = taskValues(run, taskIndex, mapIndex);
  if (!task || !resolved.ok) return null;
  const { item, scope, expressions, env, writes } = resolved.values;
  const { config } = environment;
  const texts = 'expressions' in task.body ? task.body.expressions : {};
  return Object.fromEntries(
    [
      ['its definition', definitionOf(task)],
      ['its files', [...usedFiles(task, files)]],
      ...givenTo(task.body).map(([name, given]) => [name, renderJson(given, scope)]),
      ['its place in the matrix', [mapIndex, item?.values ?? null]],
      ['its interval', [record.intervalStart, record.intervalEnd, scope.ds ?? null]],
      ["the environment's vars", config.vars],
      ...named('input', (preparedOf(run, taskIndex, mapIndex).inputs ?? []).map(inputOf)),
      ...named('param', Object.entries(record.params)),
      ...named('env', Object.entries(env)),
      ...named('data folder', Object.entries(config.data)),
      ...named(
        'expression',
        Object.entries(expressions).map(([name, value]) => [texts[name] ?? name, value]),
      ),
      ...named(
        'location of',
        writes.map(({ name, location }) => [name, location]),
      ),
    ].map(([name, value]) => [name, digestOf(value)]),
  ) as Record<string, string>;
}

export function cacheKey(parts: Readonly<Record<string, string>>): string {
  return digestOf(parts);
}

/** Files of the release that count, with their digests; sorted. */
export function usedFiles(task: CompiledTask, files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const { body, cache } = task;
  const own = filesOf(body);
  const globs = cache?.files ?? ['*'];
  const counts = (file: string): boolean =>
    own.includes(file) ||
    (body.kind === 'uses' && file.startsWith(`plugins/${body.plugin}/`)) ||
    LOCKS.includes(file) ||
    globs.some((glob) => globMatches(glob, file));
  return new Map([...files].filter(([file]) => counts(file)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a body is given besides its environment. */
function givenTo(body: TaskBody): [string, unknown][] {
  if (body.kind === 'uses') return [['what its plugin is given', body.with]];
  if (body.kind === 'notebook') return [['what its notebook is given', body.params]];
  if (body.kind === 'spark') return [['what Spark is given', [body.args, body.conf, body.master]]];
  return [];
}

/** Secrets count by their names: a value that was rotated changes nothing about what is computed. */
function definitionOf({ body, io, replicas, secrets, metrics, checks, tableChecks, gate }: CompiledTask): unknown {
  return { body, io, replicas, secrets, metrics, checks, tableChecks, gate };
}

/** By content: a version that was written again with the same bytes is the same. */
function inputOf({ name, variable, versions }: { name: string; variable: string; versions: readonly Pinned[] }) {
  return [name, [variable, versions.map(({ link, manifestHash }) => [link, manifestHash])]] as const;
}

interface Pinned {
  readonly link: string | null;
  readonly manifestHash: string;
}

function named(what: string, entries: readonly (readonly [string, unknown])[]): [string, unknown][] {
  return entries.map(([name, value]) => [`${what} ${name}`, value]);
}

/** Half a SHA-256: enough against chance, and a row per task run stays small. */
function digestOf(value: unknown): string {
  return createHash('sha256')
    .update(canonicalJson(value ?? null))
    .digest('hex')
    .slice(0, 32);
}
