import { isTerminal, RUN_TRANSITIONS, TRANSITIONS, type RunState, type TaskState } from '#core';
import type { History, HistoryAttempt, ToldState } from './history.ts';

/** One way in which a history contradicts what the engine promises. */
export interface Violation {
  readonly rule: RuleName;
  /** Where and what, in one line. */
  readonly text: string;
}

export interface Expected {
  /** Intervals that each of these pipelines must have finished, by the instant they start at. */
  readonly intervals: Readonly<Record<string, readonly string[]>>;
  /** Paths that each of these pipelines publishes once per interval. */
  readonly paths: Readonly<Record<string, readonly string[]>>;
  /** Tasks that each task of these pipelines follows. */
  readonly needs?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** Process clocks give whole milliseconds, the database's gives microseconds. */
const CLOCK_MS = 1;

type Rule = (history: History, expected: Expected) => string[];

/** The promises, each as a rule that lists what breaks it. */
const RULES = {
  'one successful run per interval': (history, expected) =>
    Object.entries(expected.intervals).flatMap(([pipeline, intervals]) => {
      const good = history.runs.filter((run) => run.pipeline === pipeline && run.state === 'success');
      const counts = countBy(good.map((run) => run.intervalStart ?? 'none'));
      const strange = [...counts.keys()].filter((start) => !intervals.includes(start));
      return [
        ...intervals
          .filter((start) => counts.get(start) !== 1)
          .map(
            (start) =>
              `${pipeline} ${start}: ${counts.get(start) ?? 0} successful runs${failuresOf(history, pipeline, start)}`,
          ),
        ...strange.map((start) => `${pipeline} ${start}: a run that nobody asked for`),
      ];
    }),

  'runs follow their states': (history) => {
    const paths = groupBy(
      history.told.filter((told) => told.taskId === null),
      (told) => told.runId,
    );
    return history.runs.flatMap((run) => {
      const path = (paths.get(run.id) ?? []).map((told) => told.state as RunState);
      const illegal = path.flatMap((state, index) => {
        const before = path[index - 1];
        if (before === undefined) return ['queued', 'skipped'].includes(state) ? [] : [`begins as ${state}`];
        return RUN_TRANSITIONS[before].includes(state) ? [] : [`${before} → ${state}`];
      });
      if (path.at(-1) !== run.state) illegal.push(`was told last as ${path.at(-1)} and is ${run.state}`);
      return illegal.map((text) => `run ${run.id}: ${text}`);
    });
  },

  'task runs follow their states': (history) => {
    const paths = groupBy(
      history.told.filter((told) => told.taskId !== null),
      keyOf,
    );
    return history.taskRuns.flatMap((taskRun) => {
      if (taskRun.originRun !== null) return [];
      const path = (paths.get(keyOf(taskRun)) ?? []).map((told: ToldState) => told.state as TaskState);
      const illegal = path.flatMap((state, index) => {
        const before = path[index - 1] ?? 'none';
        return leadsTo(before, state) ? [] : [`${before} → ${state}`];
      });
      const last = path.at(-1) ?? 'none';
      if (last !== taskRun.state && !(isSilent(taskRun.state) && leadsTo(last, taskRun.state)))
        illegal.push(`was told last as ${last} and is ${taskRun.state}`);
      return illegal.map((text) => `${nameOf(taskRun)}: ${text}`);
    });
  },

  'an ended run has no open task run': (history) => {
    const ended = new Set(history.runs.filter((run) => run.finishedAt !== null).map((run) => run.id));
    return history.taskRuns
      .filter((taskRun) => ended.has(taskRun.runId) && !isTerminal(taskRun.state))
      .map((taskRun) => `${nameOf(taskRun)} is ${taskRun.state} in an ended run`);
  },

  'an ended task run has no live attempt': (history) => {
    const open = new Set(history.taskRuns.filter((taskRun) => !isTerminal(taskRun.state)).map(keyOf));
    return history.attempts
      .filter((attempt) => isLive(attempt) && !open.has(keyOf(attempt)))
      .map((attempt) => `${nameOf(attempt)}: attempt ${attempt.number} is ${attempt.state}`);
  },

  'attempts rise': (history) =>
    eachTaskRun(history, (attempts, name) => {
      const problems = attempts.flatMap((attempt, index) => {
        const before = attempts[index - 1];
        if (attempt.number !== index + 1) return [`attempt ${attempt.number} stands at place ${index + 1}`];
        if (before !== undefined && attempt.fence <= before.fence)
          return [`fence ${attempt.fence} of attempt ${attempt.number} follows ${before.fence}`];
        return before !== undefined && BigInt(attempt.id) <= BigInt(before.id) ? [`id ${attempt.id} is not newer`] : [];
      });
      return problems.map((text) => `${name}: ${text}`);
    }).concat(
      history.taskRuns.flatMap((taskRun) => {
        const own = history.attempts.filter((attempt) => keyOf(attempt) === keyOf(taskRun));
        const last = own.at(-1);
        if (taskRun.originRun !== null || last === undefined) return [];
        return last.number === taskRun.number && last.fence <= taskRun.fence
          ? []
          : [
              `${nameOf(taskRun)}: says ${taskRun.number} tries, fence ${taskRun.fence}; has ${last.number}, ${last.fence}`,
            ];
      }),
    ),

  'attempts never overlap': (history) =>
    eachTaskRun(history, (attempts, name) =>
      attempts.flatMap((attempt, index) => {
        const before = attempts[index - 1];
        const text = `${name}: attempt ${attempt.number}`;
        if (attempt.startedAt !== null && attempt.finishedAt !== null && attempt.finishedAt < attempt.startedAt)
          return [`${text} ended before it started`];
        if (before === undefined) return [];
        if (before.finishedAt === null) return [`${text} was made while ${before.number} had not ended`];
        const from = Math.min(attempt.queuedAt, attempt.startedAt ?? attempt.queuedAt);
        return from + CLOCK_MS < before.finishedAt
          ? [`${text} began ${Math.round(before.finishedAt - from)} ms before the end of ${before.number}`]
          : [];
      }),
    ),

  'a success is one attempt, the last': (history) =>
    history.taskRuns.flatMap((taskRun) => {
      if (taskRun.originRun !== null) return [];
      const good = history.attempts.filter((a) => keyOf(a) === keyOf(taskRun) && a.state === 'success');
      const wanted = taskRun.state === 'success' ? [taskRun.number] : [];
      const found = good.map((attempt) => attempt.number);
      // Whoever marks it decides how it ends, whatever its tries come to.
      if (taskRun.isMarked && found.length === 0) return [];
      return String(found) === String(wanted)
        ? []
        : [`${nameOf(taskRun)} is ${taskRun.state}; successful tries: ${found.join(', ') || 'none'}`];
    }),

  'what is published was made by a success': (history) => {
    const good = new Set(history.attempts.filter((attempt) => attempt.state === 'success').map(({ id }) => id));
    const known = new Set(history.versions.map(({ version }) => version));
    return [
      ...history.versions
        .filter(({ attemptId }) => !good.has(attemptId))
        .map(({ version, attemptId }) => `${version}: attempt ${attemptId} did not succeed`),
      ...history.pointers
        .filter(({ version }) => !known.has(version))
        .map(({ location, version }) => `${location} points to ${version}, which was never published`),
    ];
  },

  'one pointer per interval and path': (history, expected) =>
    Object.entries(expected.paths).flatMap(([pipeline, paths]) =>
      paths.flatMap((path) => {
        const own = history.pointers.filter((pointer) => pointer.pipeline === pipeline && pointer.path === path);
        const counts = countBy(own.map((pointer) => pointer.intervalStart ?? 'none'));
        const wanted = expected.intervals[pipeline] ?? [];
        return [...new Set([...wanted, ...counts.keys()])]
          .filter((start) => counts.get(start) !== 1 || !wanted.includes(start))
          .map((start) => `${pipeline}.${path} ${start}: ${counts.get(start) ?? 0} pointers`);
      }),
    ),

  'no task begins before those that it needs': (history, expected) => {
    const pipelineOf = new Map(history.runs.map((run) => [run.id, run.pipeline]));
    const ends = groupBy(
      history.attempts.filter((attempt) => attempt.state === 'success'),
      (attempt) => `${attempt.runId}/${attempt.taskId}`,
    );
    return history.attempts.flatMap((attempt) => {
      const needs = expected.needs?.[pipelineOf.get(attempt.runId) ?? '']?.[attempt.taskId] ?? [];
      return needs
        .flatMap((task) => ends.get(`${attempt.runId}/${task}`) ?? [])
        .filter(({ finishedAt }) => (finishedAt ?? 0) > attempt.queuedAt + CLOCK_MS)
        .map((before) => `${nameOf(attempt)} began before the end of ${before.taskId}[${before.mapIndex}]`);
    });
  },

  'no pool holds more than its slots': (history) => {
    const taskRuns = new Map(history.taskRuns.map((taskRun) => [keyOf(taskRun), taskRun]));
    return history.pools.flatMap(({ name, slots }) => {
      const changes = history.attempts.flatMap((attempt) => {
        const taskRun = taskRuns.get(keyOf(attempt));
        if (taskRun?.pool !== name || attempt.finishedAt === null) return [];
        const from = { at: attempt.queuedAt, by: taskRun.slots };
        return [from, { at: Math.max(attempt.finishedAt - CLOCK_MS, attempt.queuedAt), by: -taskRun.slots }];
      });
      // What ends at an instant makes room for what begins at it.
      changes.sort((a, b) => a.at - b.at || a.by - b.by);
      let [held, most] = [0, 0];
      for (const { by } of changes) most = Math.max(most, (held += by));
      return most > slots ? [`pool ${name}: ${most} of ${slots} slots at once`] : [];
    });
  },

  'no slot is held at rest': (history) => {
    const live = history.attempts.filter(isLive).length;
    return history.pools
      .filter(({ used }) => live === 0 && used !== 0)
      .map(({ name, used }) => `pool ${name}: ${used}`);
  },
} satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;
export const RULE_NAMES = Object.keys(RULES) as RuleName[];

/** Everything in a history at rest that breaks a promise; empty: it is clean. */
export function checkHistory(history: History, expected: Expected): Violation[] {
  return RULE_NAMES.flatMap((rule) => RULES[rule](history, expected).map((text) => ({ rule, text })));
}

/** States that a task run may pass through without its being told: admission and start are not, and a batch tells the last. */
const SILENT: readonly TaskState[] = ['queued', 'running', 'retrying', 'lost'];
const isSilent = (state: TaskState): boolean => SILENT.includes(state);

/** Whether a told state may follow another one, with untold ones in between. */
function leadsTo(from: TaskState, to: TaskState): boolean {
  const seen = new Set<TaskState>([from]);
  const open: TaskState[] = [from];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (TRANSITIONS[state].includes(to)) return true;
    for (const next of TRANSITIONS[state]) {
      if (!isSilent(next) || seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}

function isLive({ state }: HistoryAttempt): boolean {
  return state === 'queued' || state === 'running';
}

function eachTaskRun(
  history: History,
  look: (attempts: readonly HistoryAttempt[], name: string) => readonly string[],
): string[] {
  return [...groupBy(history.attempts, keyOf).values()].flatMap((own) => (own[0] ? look(own, nameOf(own[0])) : []));
}

interface Place {
  readonly runId: string;
  readonly taskId: string | null;
  readonly mapIndex: number;
}
const keyOf = ({ runId, taskId, mapIndex }: Place): string => `${runId}/${taskId}/${mapIndex}`;
const nameOf = (place: Place): string => `run ${place.runId} ${place.taskId}[${place.mapIndex}]`;

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

function countBy(keys: readonly string[]): Map<string, number> {
  return new Map([...groupBy(keys, (key) => key)].map(([key, group]) => [key, group.length]));
}

/** What became of the runs of an interval, for whoever has to find out why. */
function failuresOf({ runs, attempts }: History, pipeline: string, start: string): string {
  const told = runs
    .filter((run) => run.pipeline === pipeline && run.intervalStart === start)
    .map(({ id, state }) => {
      const last = attempts.findLast((attempt) => attempt.runId === id && attempt.message !== null);
      return `run ${id} ${state}${last ? `, ${last.taskId} on try ${last.number} ${last.state}: ${last.message}` : ''}`;
    });
  return told.length === 0 ? '' : ` (${told.join('; ')})`;
}
