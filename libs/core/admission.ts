import { ALONE, type Replicas } from './replicas.ts';

/** A ready task run that asks for slots of a pool and, perhaps, for resources. */
export interface Applicant {
  /** Name of the pool among those given. */
  readonly pool: string;
  readonly slots: number;
  /** Amounts by the name of what has them, which is not limited when it is not among those given. */
  readonly asks: readonly { readonly of: string; readonly amount: number }[];
  /** How many times it asks for all of this at once. Absent: once. */
  readonly replicas?: Replicas;
}

export interface Admission<T extends Applicant> {
  readonly applicant: T;
  /** How many times it gets what it asks for. */
  readonly replicas: number;
}

/** `free` may be negative after the whole was made smaller. */
export interface Room {
  readonly free: number;
  readonly size: number;
}

type Rooms = ReadonlyMap<string, Room>;

/**
 * Chooses which applicants get what they ask for, given in the order of their claim: priority, then older interval, then
 * map index. Exact: never more than is free. No starvation: an applicant waits for its pool first, and while it does no
 * slot of the pool goes to those behind it; once the pool has room, its slots stay for it and resources pile up for it,
 * whatever smaller ones come behind. It takes no resource while its pool is full, so that nothing idles for it meanwhile;
 * those that want what piles up for another wait without a claim of their own. One that can never fit is passed over.
 * Replicas are admitted together or not at all: their least number is one large request, and nothing of it is given out
 * before all of it is there, so that no two ever wait for each other. What else there is room for they get with it.
 */
export function admit<T extends Applicant>(applicants: readonly T[], pools: Rooms, resources: Rooms): Admission<T>[] {
  const admitted: Admission<T>[] = [];
  const slots = new Map([...pools].map(([name, { free }]) => [name, Math.max(0, free)]));
  const left = new Map([...resources].map(([name, { free }]) => [name, Math.max(0, free)]));
  const taken = new Set<string>();
  for (const applicant of applicants) {
    const free = slots.get(applicant.pool);
    const { min, max } = applicant.replicas ?? ALONE;
    const asks = applicant.asks.filter(({ of, amount }) => amount > 0 && resources.has(of));
    if (free === undefined || applicant.slots * min > (pools.get(applicant.pool)?.size ?? 0)) continue;
    if (asks.some(({ of, amount }) => amount * min > (resources.get(of)?.size ?? 0))) continue;
    if (applicant.slots * min > free) {
      slots.set(applicant.pool, 0);
      continue;
    }
    if (asks.some(({ of }) => taken.has(of))) continue;
    const lacking = asks.filter(({ of, amount }) => amount * min > (left.get(of) ?? 0));
    for (const { of } of lacking) taken.add(of);
    const replicas = lacking.length > 0 || max === min ? min : mostThatFit(applicant, max, free, asks, left);
    slots.set(applicant.pool, free - applicant.slots * replicas);
    for (const { of, amount } of asks) left.set(of, Math.max(0, (left.get(of) ?? 0) - amount * replicas));
    if (lacking.length === 0) admitted.push({ applicant, replicas });
  }
  return admitted;
}

function mostThatFit(
  { slots }: Applicant,
  max: number,
  free: number,
  asks: Applicant['asks'],
  left: ReadonlyMap<string, number>,
): number {
  const fitting = asks.map(({ of, amount }) => Math.floor((left.get(of) ?? 0) / amount));
  return Math.min(max, Math.floor(free / slots), ...fitting);
}
