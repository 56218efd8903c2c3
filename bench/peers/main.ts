import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { packageRoot } from '#platform';
import { writeBetween } from '../results-table.ts';
import { grouped } from './effects.ts';
import { folderMiB, install, isInstalled } from './install.ts';
import { firstRunMs, isSteady, measureRepeat, warmUp } from './measure.ts';
import { readOptions, type Options } from './options.ts';
import { homeOf, labelOf, type Peer } from './peers.ts';
import { allResults, loadResult, type PeerResult, storeResult, type WorkloadResult } from './results.ts';
import { Session } from './session.ts';
import { PEERS_BEGIN, PEERS_END, peersTables } from './table.ts';
import { taskRuns, type Workload, workload, type WorkloadName } from './workloads.ts';

/** `npm run bench:peers`: see `options.ts` for what it takes. Results are kept after every repeat; what is there is not measured again. */
/** A repeat that took longer is not measured anew because the machine wandered. */
const LONG_SECONDS = 20;
/** Some engines wait for time-outs of minutes before they take up what was killed. */
const KILLS_TAKE = 3;
const BENCH = path.join(packageRoot(), 'bench', 'peers');
let session: Session | null = null;
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    stopping = true;
    void (session?.close() ?? Promise.resolve()).finally(() => process.exit(130));
  });
const options = readOptions(process.argv.slice(2));
if (options.action === 'install') {
  for (const peer of options.peers)
    await install(peer, path.join(BENCH, 'pinned'), (line) => process.stdout.write(`${line}\n`));
} else if (options.action === 'measure') {
  for (const peer of shuffled(options.peers)) await measurePeer(peer, options);
}
writeBetween(path.join(packageRoot(), 'docs', 'performance.md'), PEERS_BEGIN, PEERS_END, peersTables(allResults()));

async function measurePeer(
  peer: Peer,
  { workloads, times, retries, again, boundMs, mostTasks }: Options,
): Promise<void> {
  if (!isInstalled(peer)) {
    process.stdout.write(`${labelOf(peer)}: not installed; npm run bench:peers -- install --peers ${peer.name}\n`);
    return;
  }
  const wanted = workloads
    .filter((name) => peer.cannot?.[name] === undefined)
    .map((name) => workload(name, mostTasks ?? peer.mostTasks));
  let result = loadResult(peer) ?? (await emptyResult(peer));
  if (again) result = { ...result, workloads: without(result.workloads, workloads) };
  // Kills and a backlog are kept from the figures of others.
  const sessionOf = (one: Workload): string =>
    `${one.parallelism}${hasKills(one) ? ' with kills' : ''}${one.backlog?.join() ?? ''}`;
  for (const together of grouped(wanted, sessionOf).values()) {
    // A session that broke is of no use: the workloads that are left get another one.
    const tried = new Set<string>();
    const left = (): Workload[] => unmeasured(together, result, times).filter(({ name }) => !tried.has(name));
    while (left().length > 0)
      result = await measureSession(peer, shuffled(left()), { result, tried, times, retries, boundMs });
  }
}

async function measureSession(
  peer: Peer,
  workloads: readonly Workload[],
  {
    result: before,
    tried,
    times,
    retries,
    boundMs,
  }: { result: PeerResult; tried: Set<string>; times: number; retries: number; boundMs: number },
): Promise<PeerResult> {
  let result = before;
  const [first] = workloads as readonly [Workload, ...Workload[]];
  let current = first;
  const pipelines = workloads.flatMap((one) => one.pipelines);
  try {
    session = await Session.open(peer, { pipelines, parallelism: first.parallelism, benchFolder: BENCH });
    const readyMs = await session.ready(boundMs);
    // The same for each engine, whatever a session begins with.
    const chain = workloads.find(({ name }) => name === 'W1N');
    const [warm] = (chain ?? first).warmUp;
    const cold = warm === undefined ? null : await firstRunMs(session, warm, boundMs);
    result = { ...result, readyMs, firstRunMs: chain === undefined ? result.firstRunMs : cold };
    if (first.backlog !== undefined) await session.startBacklog(first.backlog, boundMs);
    for (const one of workloads) {
      current = one;
      // Where every task has a process of its own, the first run of the session is all that can warm up.
      if (peer.isolation !== 'new process') await warmUp(session, one, boundMs);
      // What the machine disturbed is measured anew, but not for ever.
      for (let tries = 0; steadyRepeats(result, one) < times && tries < times + retries; tries++) {
        const repeat = await measureRepeat(session, one, hasKills(one) ? KILLS_TAKE * boundMs : boundMs);
        const earlier = result.workloads[one.name as WorkloadName]?.repeats ?? [];
        result = store(peer, result, one, { repeats: [...earlier, repeat] });
        process.stdout.write(`${labelOf(peer)} ${one.name}${isSteady(repeat) ? '' : ' (the machine wandered)'}: `);
        process.stdout.write(`${JSON.stringify(repeat.problems.length > 0 ? repeat.problems : repeat.figures)}\n`);
        if (tries + 1 >= times && repeat.seconds > LONG_SECONDS) break;
      }
      tried.add(one.name);
    }
  } catch (error) {
    // Not the engine's failure: the next start measures it.
    if (stopping) return result;
    const failure = error instanceof Error ? error.message : String(error);
    process.stdout.write(`${labelOf(peer)} ${current.name} failed: ${failure}\n`);
    result = store(peer, result, current, { failure: failure.slice(0, 2000) });
  } finally {
    await session?.close();
    session = null;
  }
  return result;
}

function hasKills({ rounds }: Workload): boolean {
  return rounds.some(({ kills }) => kills !== undefined);
}

function store(peer: Peer, result: PeerResult, one: Workload, more: Partial<WorkloadResult>): PeerResult {
  const name = one.name as WorkloadName;
  const { title, scale, parallelism } = one;
  const known = result.workloads[name] ?? { title, scale, parallelism, taskRuns: taskRuns(one), repeats: [] };
  const changed = { ...result, workloads: { ...result.workloads, [name]: { ...known, ...more } } };
  storeResult(peer, changed);
  return changed;
}

function unmeasured(workloads: readonly Workload[], result: PeerResult, times: number): Workload[] {
  return workloads.filter(
    (one) => result.workloads[one.name as WorkloadName]?.failure === undefined && steadyRepeats(result, one) < times,
  );
}

function steadyRepeats(result: PeerResult, { name }: Workload): number {
  return (result.workloads[name as WorkloadName]?.repeats ?? []).filter(isSteady).length;
}

async function emptyResult(peer: Peer): Promise<PeerResult> {
  return {
    peer: peer.name,
    settings: peer.settings,
    version: peer.version,
    isolation: peer.isolation,
    durability: peer.durability,
    how: peer.how,
    machine: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`,
    measuredAt: new Date().toISOString().slice(0, 10),
    installMiB: peer.from === 'here' ? null : await folderMiB(homeOf(peer)),
    readyMs: null,
    firstRunMs: null,
    workloads: {},
  };
}

function without(workloads: PeerResult['workloads'], names: readonly WorkloadName[]): PeerResult['workloads'] {
  return Object.fromEntries(Object.entries(workloads).filter(([name]) => !names.includes(name as WorkloadName)));
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
