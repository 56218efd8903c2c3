import {
  amountText,
  estimateStarts,
  resourcesText,
  timesResources,
  RESOURCE_NAMES,
  type Amounts,
  type Applicant,
  type Room,
} from '#core';
import { apiQueries } from '#store';
import type { ReadContext } from './read-context.ts';
import type { RunRow } from './run-reads.ts';
import type { WaitingReason } from './why-waiting.ts';

type LineRow = Awaited<ReturnType<typeof apiQueries.readLine>>[number];
type HolderRow = Awaited<ReturnType<typeof apiQueries.readHolding>>[number];
type PlaceRow = Awaited<ReturnType<typeof apiQueries.readReadyPlaces>>[number];

/** Of a line, so many from its head are told when they should begin; beyond that nothing that one says comes true. */
const MOST_IN_LINE = 200;
const MOST_HOLDERS = 500;
/** Tasks whose history is looked at. */
const MOST_TASKS = 60;
const MOST_NAMED = 10;

/** For the ready task runs of a run: the pool or the resources that they wait for, their place, who holds them, until when. */
export async function whyReady({ db, now }: ReadContext, run: RunRow, most: number): Promise<WaitingReason[]> {
  const places = await apiQueries.readReadyPlaces(db, run.environment, run.id, most);
  if (places.length === 0) return [];
  const names = [...new Set(places.map(({ pool }) => pool))];
  const pools = new Map((await apiQueries.readPoolSlots(db, run.environment, names)).map((pool) => [pool.pool, pool]));
  const line = await apiQueries.readLine(db, run.environment, names, MOST_IN_LINE);
  const holders = await apiQueries.readHolding(db, run.environment, names, MOST_HOLDERS);
  const rooms = await apiQueries.readRooms(db, [...line, ...holders]);
  const usual = await usualTimes(db, [...holders, ...line]);
  const at = now().getTime();
  const starts = new Map<string, number | null>();
  for (const name of names) {
    const own = line.filter(({ pool }) => pool === name);
    const { slots = 0, used = 0 } = pools.get(name) ?? {};
    const free = new Map([['slots', slots - used], ...[...rooms].map(([of, room]) => [of, room.free] as const)]);
    const begins = estimateStarts(
      free,
      holders.map((row) => ({ amounts: amountsOf(row, name, run.environment), leftMs: leftOf(row, usual, at) })),
      own.map((row) => ({ amounts: amountsOf(row, name, run.environment), takesMs: usual.get(taskOf(row)) ?? null })),
    );
    own.forEach((row, index) => starts.set(keyOf(row), begins[index] ?? null));
  }
  return places.map((place) => {
    const row = line.find((one) => keyOf(one) === keyOf({ ...place, runId: run.id }));
    const begins = starts.get(keyOf({ ...place, runId: run.id })) ?? null;
    const startsAt = begins === null ? null : new Date(at + begins).toISOString();
    const pool = pools.get(place.pool) ?? { slots: 0, used: 0 };
    return { ...reasonOf(place, row, pool, holders, rooms, run.environment), startsAt };
  });
}

function reasonOf(
  { taskId, mapIndex, pool, position }: PlaceRow,
  row: LineRow | undefined,
  { slots, used }: { readonly slots: number; readonly used: number },
  holders: readonly HolderRow[],
  rooms: ReadonlyMap<string, Room>,
  environment: string,
): WaitingReason {
  const about = { taskId, mapIndex, position };
  const short = row === undefined || slots - used < row.slots * row.times ? undefined : shortage(row, rooms);
  if (row === undefined || short === undefined) {
    const own = holders.filter((one) => one.environment === environment && one.pool === pool);
    const together = row?.replicas == null ? '' : ` its ${row.times} replicas need ${row.slots * row.times} at once;`;
    const text = `Pool "${pool}": ${used} of ${slots} slots are taken;${together} number ${position} in line.`;
    return { ...about, rule: 'pool', text, holders: named(own) };
  }
  const taking = holders.filter((one) =>
    apiQueries.asksOf(one).some(({ of, amount }) => of === short.of && amount > 0),
  );
  const who = row.replicas === null ? 'It asks' : `Its ${row.times} replicas ask`;
  const text = `${who} for ${resourcesText(timesResources(row.resources ?? {}, row.times))}; ${short.where} ${short.free} of ${short.size} are free; number ${position} in line.`;
  return { ...about, rule: 'resources', text, holders: named(taking) };
}

/** Of what it asks for, the first that there is too little of. */
function shortage(
  row: LineRow,
  rooms: ReadonlyMap<string, Room>,
): { of: string; where: string; free: string; size: string } | undefined {
  const lacking = apiQueries
    .asksOf(row)
    .find(({ of, amount }) => amount * row.times > (rooms.get(of)?.free ?? Infinity));
  if (lacking === undefined) return undefined;
  const { free = 0, size = 0 } = rooms.get(lacking.of) ?? {};
  const name = RESOURCE_NAMES.find((one) => lacking.of.endsWith(` ${one}`)) ?? 'cpu';
  const text = (units: number): string => amountText(name, name === 'cpu' ? units / 1000 : units);
  const where = lacking.of.startsWith('environment ') ? `in ${row.environment}` : 'where it would be executed';
  return { of: lacking.of, where, free: text(Math.max(0, free)), size: text(size) };
}

function named(rows: readonly HolderRow[]): string[] {
  return rows.slice(0, MOST_NAMED).map(({ runId, taskId }) => `${runId}/${taskId}`);
}

function amountsOf(row: LineRow, pool: string, environment: string): Amounts {
  const slots = row.pool === pool && row.environment === environment ? row.slots * row.times : 0;
  const asks: Applicant['asks'] = apiQueries.asksOf(row);
  return new Map([['slots', slots], ...asks.map(({ of, amount }) => [of, amount * row.times] as const)]);
}

function leftOf(row: HolderRow, usual: ReadonlyMap<string, number>, now: number): number | null {
  const takes = usual.get(taskOf(row));
  return takes === undefined ? null : Math.max(0, Date.parse(row.since) + takes - now);
}

async function usualTimes(db: ReadContext['db'], rows: readonly LineRow[]): Promise<ReadonlyMap<string, number>> {
  const tasks = new Map(rows.map((row) => [taskOf(row), row]));
  const asked = [...tasks.values()]
    .slice(0, MOST_TASKS)
    .map(({ environment, pipeline, taskId }) => ({ environment, pipeline, taskId }));
  return new Map((await apiQueries.readUsualTimes(db, asked)).map((row) => [taskOf(row), row.usualMs]));
}

function taskOf({ environment, pipeline, taskId }: Pick<LineRow, 'environment' | 'pipeline' | 'taskId'>): string {
  return `${environment} ${pipeline} ${taskId}`;
}

function keyOf({ runId, taskId, mapIndex }: Pick<LineRow, 'runId' | 'taskId' | 'mapIndex'>): string {
  return `${runId} ${taskId} ${mapIndex}`;
}
