import { createHash } from 'node:crypto';
import {
  canonicalJson,
  type CompiledPipeline,
  diffPipelines,
  type FreezeRecord,
  type Gate,
  gateName,
  gatesOf,
  type PipelineDiff,
  type PromotionKind,
  type RunsInFlight,
  type TakenBackVersion,
} from '#core';
import { isWithinWindow, nextIntervals, withOverlay } from '#dag';
import type { AppliedEnvironment } from '../ports.ts';

/** All that a plan is made of. */
export interface PlanFacts {
  readonly environment: AppliedEnvironment;
  readonly kind: PromotionKind;
  /** Null: of files that are no release yet. */
  readonly release: string | null;
  readonly current: string | null;
  readonly pointerSeq: number;
  /** As they are in the two releases, before the environment's overlays. */
  readonly before: readonly CompiledPipeline[];
  readonly after: readonly CompiledPipeline[];
  readonly runsInFlight: readonly RunsInFlight[];
  readonly takenBack: readonly TakenBackVersion[];
  readonly hold: string | null;
  readonly freezes: readonly FreezeRecord[];
  readonly now: Date;
}

/** What a promotion would change, and what it has to pass. Instants are ISO 8601. */
export interface PlannedPromotion {
  /** Pins release, pointer, configuration and rules: a plan with another hash is another plan. Null without a release. */
  readonly planHash: string | null;
  readonly pipelines: readonly PipelineDiff[];
  /** Of pipelines whose schedule changes: the next five fires. */
  readonly schedules: readonly {
    readonly pipeline: string;
    readonly before: readonly string[];
    readonly after: readonly string[];
  }[];
  /** `pipeline/path` that tasks begin or cease to write. */
  readonly paths: { readonly added: readonly string[]; readonly orphaned: readonly string[] };
  /** What tasks name and the environment has not. */
  readonly missing: { readonly secrets: readonly string[]; readonly pools: readonly string[] };
  readonly gates: readonly { readonly kind: Gate['kind']; readonly name: string }[];
  readonly approvals: { readonly needed: number; readonly groups: readonly string[]; readonly excludeAuthor: boolean };
  readonly window: { readonly cron: string; readonly timezone: string; readonly open: boolean } | null;
  readonly freezes: readonly FreezeRecord[];
  readonly hold: string | null;
  readonly runsInFlight: readonly RunsInFlight[];
  /** Of a rollback: locations whose data returns to an earlier version. */
  readonly takenBack: readonly TakenBackVersion[];
  readonly risk: { readonly level: 'none' | 'low' | 'medium' | 'high'; readonly reasons: readonly string[] };
}

const FIRES_SHOWN = 5;

export function planPromotion(facts: PlanFacts): PlannedPromotion {
  const { environment, kind, now } = facts;
  const { config } = environment;
  const rules = config.promotion;
  const before = facts.before.map((pipeline) => withOverlay(pipeline, config.name));
  const after = facts.after.map((pipeline) => withOverlay(pipeline, config.name));
  const pipelines = diffPipelines(before, after);
  const written = { before: writtenPaths(before), after: writtenPaths(after) };
  const paths = {
    added: [...written.after].filter((path) => !written.before.has(path)).sort(),
    orphaned: [...written.before].filter((path) => !written.after.has(path)).sort(),
  };
  const missing = missingIn(environment, after);
  const schedules = scheduleChanges(before, after, now);
  const { runsInFlight, takenBack, hold } = facts;
  const planned = { pipelines, schedules, paths, missing, runsInFlight, takenBack, hold };
  return {
    ...planned,
    planHash: facts.release === null ? null : planHash({ ...facts, release: facts.release }),
    gates: gatesOf(kind, rules).map((gate) => ({ kind: gate.kind, name: gateName(gate) })),
    approvals: {
      needed: kind === 'rollback' ? 0 : rules.approvals.count,
      groups: rules.approvals.groups,
      excludeAuthor: rules.approvals.excludeAuthor,
    },
    window: rules.window === null ? null : { ...rules.window, open: isWithinWindow(rules.window, now) },
    freezes: facts.freezes,
    risk: riskOf(planned),
  };
}

/** SHA-256 of what a promotion is decided on. */
export function planHash(
  facts: Pick<PlanFacts, 'environment' | 'kind' | 'pointerSeq'> & { readonly release: string },
): string {
  const { environment, release, kind, pointerSeq } = facts;
  const { name, promotion: rules } = environment.config;
  const decided = { environment: name, release, kind, pointerSeq, configHash: environment.hash, rules };
  return createHash('sha256').update(canonicalJson(decided)).digest('hex');
}

/** Secrets and pools that pipelines name and an environment has not, sorted. */
export function missingIn(
  { config }: AppliedEnvironment,
  pipelines: readonly CompiledPipeline[],
): PlannedPromotion['missing'] {
  const tasks = pipelines.flatMap((pipeline) => pipeline.tasks);
  const lacking = (named: readonly string[], known: object) =>
    [...new Set(named)].filter((name) => !Object.hasOwn(known, name)).sort();
  return {
    secrets: lacking(
      tasks.flatMap((task) => task.secrets),
      config.secrets,
    ),
    pools: lacking(
      tasks.map((task) => task.pool),
      config.pools,
    ),
  };
}

function writtenPaths(pipelines: readonly CompiledPipeline[]): ReadonlySet<string> {
  return new Set(
    pipelines.flatMap(({ name, tasks }) => tasks.flatMap((task) => task.writes.map((w) => `${name}/${w}`))),
  );
}

function scheduleChanges(
  before: readonly CompiledPipeline[],
  after: readonly CompiledPipeline[],
  now: Date,
): PlannedPromotion['schedules'] {
  const old = new Map(before.map((pipeline) => [pipeline.name, pipeline]));
  const fires = (pipeline: CompiledPipeline | undefined) =>
    pipeline === undefined
      ? []
      : nextIntervals(pipeline.schedule, now, now, FIRES_SHOWN).map(({ end }) => end.toISOString());
  const names = [...new Set([...before, ...after].map(({ name }) => name))].sort();
  const current = new Map(after.map((pipeline) => [pipeline.name, pipeline]));
  return names.flatMap((name) => {
    const [was, is] = [old.get(name), current.get(name)];
    if (was !== undefined && is !== undefined && canonicalJson(was.schedule) === canonicalJson(is.schedule)) return [];
    const change = { pipeline: name, before: fires(was), after: fires(is) };
    return change.before.length + change.after.length === 0 ? [] : [change];
  });
}

function riskOf({
  pipelines,
  schedules,
  paths,
  missing,
  runsInFlight,
  takenBack,
  hold,
}: Pick<
  PlannedPromotion,
  'pipelines' | 'schedules' | 'paths' | 'missing' | 'runsInFlight' | 'takenBack' | 'hold'
>): PlannedPromotion['risk'] {
  const removed = pipelines.filter(({ change }) => change === 'removed');
  const changed = pipelines.filter(({ change }) => change === 'changed');
  const rescheduled = schedules.filter(({ before, after }) => before.length > 0 && after.length > 0);
  const touched = runsInFlight.filter(({ pipeline }) => pipelines.some((one) => one.pipeline === pipeline));
  const lacking = missing.secrets.length + missing.pools.length;
  const high = [
    ...(hold === null ? [] : [`the release is on hold: ${hold}`]),
    ...(lacking === 0 ? [] : [`${counted(lacking, 'secret or pool', 'secrets or pools')} missing`]),
    ...(removed.length === 0 ? [] : [`${counted(removed.length, 'pipeline')} removed`]),
    ...(paths.orphaned.length === 0 ? [] : [`${counted(paths.orphaned.length, 'path')} no longer written`]),
    ...(takenBack.length === 0 ? [] : [`${counted(takenBack.length, 'location')} back to earlier data`]),
  ];
  const medium = [
    ...(rescheduled.length === 0 ? [] : [`${counted(rescheduled.length, 'schedule')} changed`]),
    ...(touched.length === 0 ? [] : [`${counted(touched.length, 'pipeline')} with runs in flight`]),
    ...(changed.length === 0 ? [] : [`${counted(changed.length, 'pipeline')} changed`]),
  ];
  const added = pipelines.length - removed.length - changed.length;
  const low = added === 0 ? [] : [`${counted(added, 'pipeline')} added`];
  const level = high.length > 0 ? 'high' : medium.length > 0 ? 'medium' : low.length > 0 ? 'low' : 'none';
  return { level, reasons: [...high, ...medium, ...low] };
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
