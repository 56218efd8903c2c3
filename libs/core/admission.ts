/** A ready task run that asks for slots of a pool and, perhaps, for resources. */
export interface Applicant {
  /** Name of the pool among those given. */
  readonly pool: string;
  readonly slots: number;
  /** Amounts by the name of what has them, which is not limited when it is not among those given. */
  readonly asks: readonly { readonly of: string; readonly amount: number }[];
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
 */
export function admit<T extends Applicant>(applicants: readonly T[], pools: Rooms, resources: Rooms): T[] {
  const admitted: T[] = [];
  const slots = new Map([...pools].map(([name, { free }]) => [name, Math.max(0, free)]));
  const left = new Map([...resources].map(([name, { free }]) => [name, Math.max(0, free)]));
  const taken = new Set<string>();
  for (const applicant of applicants) {
    const free = slots.get(applicant.pool);
    const asks = applicant.asks.filter(({ of, amount }) => amount > 0 && resources.has(of));
    if (free === undefined || applicant.slots > (pools.get(applicant.pool)?.size ?? 0)) continue;
    if (asks.some(({ of, amount }) => amount > (resources.get(of)?.size ?? 0))) continue;
    if (applicant.slots > free) {
      slots.set(applicant.pool, 0);
      continue;
    }
    if (asks.some(({ of }) => taken.has(of))) continue;
    const lacking = asks.filter(({ of, amount }) => amount > (left.get(of) ?? 0));
    for (const { of } of lacking) taken.add(of);
    slots.set(applicant.pool, free - applicant.slots);
    for (const { of, amount } of asks) left.set(of, Math.max(0, (left.get(of) ?? 0) - amount));
    if (lacking.length === 0) admitted.push(applicant);
  }
  return admitted;
}
