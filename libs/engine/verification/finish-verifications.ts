import type {
  AlertInsert,
  CompiledPipeline,
  Comparison,
  FileDrift,
  LoadedTaskRun,
  OutputPair,
  RunRecord,
  RunVersion,
  TaskPair,
  VerificationRecord,
} from '#core';
import { closeEnough, compareOutputs, compareTools, driftKey, driftsOf, exclusionOf, notComparable } from '#core';
import { driftedAlerts } from '../alerts.ts';
import { pipelineOf } from './request-verification.ts';
import type { VerificationParts } from './verification-parts.ts';

/** Verifications finished in one look. */
const AT_ONCE = 20;
/** Files of one verification that are looked into for their tolerance. */
const MOST_LOOKED_INTO = 1000;

/** Compares what ended runs wrote with what the runs that they execute again had written. Returns how many it finished. */
export async function finishVerifications(parts: VerificationParts): Promise<number> {
  let finished = 0;
  for (const verification of await parts.verifications.ended(AT_ONCE)) {
    try {
      if (await finish(parts, verification)) finished += 1;
    } catch (error) {
      // One that cannot be compared now must not stop the others.
      parts.observer.problem('comparing a verified run', error, { verification: verification.id });
    }
  }
  return finished;
}

async function finish(parts: VerificationParts, verification: VerificationRecord): Promise<boolean> {
  const { store, verifications, environments, alertDefaults } = parts;
  const [run, shadow] = await Promise.all([
    store.getRun(verification.runId),
    store.getRun(verification.shadowRunId ?? ''),
  ]);
  if (run === null || shadow === null) return false;
  const pipeline = await pipelineOf(parts, run);
  const comparison = await compare(parts, run, shadow, pipeline);
  const environment = environments.get(run.environment);
  const alerts: AlertInsert[] =
    comparison.verdict === 'drifted' && verification.sampled && pipeline !== null && environment !== null
      ? driftedAlerts(run, comparison.detail, pipeline, environment, alertDefaults)
      : [];
  if (!(await verifications.finish(verification.id, comparison, alerts))) return false;
  // What drifted stays until it is collected as garbage: somebody will want to look at it.
  if (comparison.verdict === 'reproducible')
    await parts.discard(shadow.id).catch((error: unknown) => {
      parts.observer.problem('removing what a verified run wrote', error, { runId: shadow.id });
    });
  return true;
}

async function compare(
  parts: VerificationParts,
  run: RunRecord,
  shadow: RunRecord,
  pipeline: CompiledPipeline | null,
): Promise<Comparison> {
  if (pipeline === null) return notComparable('The release that it ran on is gone.');
  if (shadow.state !== 'success' && shadow.state !== 'failed')
    return notComparable(`Run ${shadow.id}, which executed it again, was ${shadow.state.replace('_', ' ')}.`);
  const [before, after] = await Promise.all([sideOf(parts, run), sideOf(parts, shadow)]);
  const pairs: TaskPair[] = [];
  // In the order of tasks, so that the first difference is the one that others may follow from.
  for (const task of pipeline.tasks) {
    const excluded = exclusionOf(task);
    for (const mapIndex of indexesOf(task.id, before, after))
      pairs.push(await pairOf(parts, run.environment, { taskId: task.id, mapIndex, excluded }, before, after));
  }
  const lost = pairs.find(({ outputs }) => outputs.some((output) => output === GONE));
  if (lost !== undefined) return notComparable(`What task ${lost.taskId} wrote is gone.`);
  const again = pipeline.tasks.filter((task) => exclusionOf(task) === null);
  const ids = again.map(({ id }) => id);
  const [then, now] = await Promise.all([run, shadow].map(({ id }) => parts.verifications.toolsOf(id, ids)));
  const kinds = new Set(again.map(({ body }) => body.kind));
  const tools = compareTools(kinds, then ?? [], now ?? []);
  return compareOutputs(pairs, await withinTolerance(parts, run.environment, pipeline, pairs, before, after), tools);
}

interface Side {
  readonly rows: ReadonlyMap<string, LoadedTaskRun>;
  readonly versions: ReadonlyMap<string, readonly RunVersion[]>;
}

async function sideOf({ store, verifications }: VerificationParts, { id }: RunRecord): Promise<Side> {
  const [rows, versions] = await Promise.all([store.loadTaskRuns([id]), verifications.versionsOf(id)]);
  const byTask = new Map<string, RunVersion[]>();
  for (const version of versions) {
    const key = `${version.taskId}/${version.mapIndex}`;
    byTask.set(key, [...(byTask.get(key) ?? []), version]);
  }
  return { rows: new Map(rows.map((row) => [`${row.taskId}/${row.mapIndex}`, row])), versions: byTask };
}

function indexesOf(taskId: string, ...sides: readonly Side[]): number[] {
  const rows = sides.flatMap((side) => [...side.rows.values()].filter((row) => row.taskId === taskId));
  return [...new Set(rows.map(({ mapIndex }) => mapIndex))].sort((a, b) => a - b);
}

const GONE: OutputPair = { name: '', before: null, after: null };

async function pairOf(
  { filesOf }: VerificationParts,
  environment: string,
  about: Pick<TaskPair, 'taskId' | 'mapIndex' | 'excluded'>,
  before: Side,
  after: Side,
): Promise<TaskPair> {
  const key = `${about.taskId}/${about.mapIndex}`;
  const [was, is] = [before.rows.get(key), after.rows.get(key)];
  const pair = {
    ...about,
    mapKey: was?.mapKey ?? is?.mapKey ?? '',
    before: was?.state ?? null,
    after: is?.state ?? null,
  };
  if (about.excluded !== null) return { ...pair, outputs: [] };
  const [old, now] = [before.versions.get(key) ?? [], after.versions.get(key) ?? []];
  const outputs: OutputPair[] = [];
  for (const name of new Set([...old, ...now].map(({ path }) => path))) {
    const files = async (side: readonly RunVersion[]) => {
      const found = side.find(({ path }) => path === name);
      return found === undefined ? undefined : filesOf(environment, found.version, found.manifestHash);
    };
    const [then, later] = await Promise.all([files(old), files(now)]);
    outputs.push(then === null || later === null ? GONE : { name, before: then ?? null, after: later ?? null });
  }
  return { ...pair, outputs };
}

/** Drifts whose numbers are near enough for the task that wrote them. */
async function withinTolerance(
  parts: VerificationParts,
  environment: string,
  pipeline: CompiledPipeline,
  pairs: readonly TaskPair[],
  before: Side,
  after: Side,
): Promise<ReadonlySet<string>> {
  const close = new Set<string>();
  for (const pair of pairs) {
    const tolerance = pipeline.tasks.find(({ id }) => id === pair.taskId)?.tolerance;
    if (tolerance === undefined || pair.excluded !== null) continue;
    for (const drift of driftsOf(pair).slice(0, MOST_LOOKED_INTO)) {
      const [was, is] = await Promise.all([
        textOf(parts, environment, before, drift, drift.before),
        textOf(parts, environment, after, drift, drift.after),
      ]);
      if (was !== null && is !== null && closeEnough(drift.file, was, is, tolerance)) close.add(driftKey(drift));
    }
  }
  return close;
}

async function textOf(
  parts: VerificationParts,
  environment: string,
  side: Side,
  { taskId, mapIndex, output }: FileDrift,
  file: FileDrift['before'],
): Promise<string | null> {
  const version = side.versions.get(`${taskId}/${mapIndex}`)?.find(({ path }) => path === output);
  return file === null || version === undefined ? null : parts.textOf(environment, version.version, file);
}
