import type { PatientDatabase } from './patient-database.ts';

/** Two leases of a scheduler, the longer ones. */
const LONGEST_MS = 20_000;
const LOOK_MS = 1000;

/** What may be so for a moment, but not for longer than two leases. Each names what it concerns. */
const PASSING = {
  'a run that goes on has an owner that lives': `
    select 'run ' || r.id as what from run r
    where r.state = 'running' and not r.parked
      and not exists (select from process p where p.id = r.lease_owner and p.alive_until > now())`,
  // While no API serves nobody can say that he lives.
  'what runs is held by a worker that lives': `
    select 'attempt ' || a.id as what from attempt a
    where a.state = 'running' and exists (select from process where kind = 'api' and alive_until > now() and started_at < now() - interval '10 seconds')
      and not exists (select from process p where p.id = a.worker and p.alive_until > now())
      and not exists (select from assignment s where s.attempt_id = a.id and s.result is not null)`,
};
const ENDED = `
  select 'task run ' || run_id || ' ' || task_id || '[' || map_index || ']' as what, state from task_run where finished_at is not null
  union all select 'attempt ' || id, state from attempt where finished_at is not null and state not in ('queued', 'running')`;
const ENDED_STAYS = 'what has ended stays as it ended';

export const LIVE_RULES = [...Object.keys(PASSING), ENDED_STAYS];

/** Looks at a cluster while faults happen to it, and notes what must not be. */
export class LiveWatch {
  readonly problems: string[] = [];
  looks = 0;
  private readonly since = new Map<string, number>();
  private readonly told = new Set<string>();
  private readonly ended = new Map<string, string>();
  private looking: Promise<void> | null = null;
  private readonly timer: NodeJS.Timeout;

  /** `longestMs`: other than two leases, for tests of the watch itself. */
  constructor(
    private readonly db: Pick<PatientDatabase, 'once'>,
    private readonly longestMs = LONGEST_MS,
  ) {
    this.timer = setInterval(() => {
      this.looking ??= this.look().finally(() => (this.looking = null));
    }, LOOK_MS);
  }

  /** Resolves after a last look. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
    await this.look();
  }

  async look(): Promise<void> {
    for (const [rule, text] of Object.entries(PASSING)) {
      const rows = await this.db.once<{ what: string }>(text);
      // Without a database nobody can do anything about it.
      if (rows === null) return this.since.clear();
      this.note(
        rule,
        rows.map(({ what }) => what),
      );
    }
    for (const { what, state } of (await this.db.once<{ what: string; state: string }>(ENDED)) ?? []) {
      const before = this.ended.get(what);
      if (before !== undefined && before !== state)
        this.problems.push(`${ENDED_STAYS}: ${what} was ${before} and is ${state}`);
      this.ended.set(what, state);
    }
    this.looks += 1;
  }

  private note(rule: string, found: readonly string[]): void {
    const now = performance.now();
    const keys = new Set(found.map((what) => `${rule}: ${what}`));
    for (const key of this.since.keys()) if (key.startsWith(`${rule}: `) && !keys.has(key)) this.since.delete(key);
    for (const key of keys) {
      const since = this.since.get(key) ?? now;
      this.since.set(key, since);
      if (now - since < this.longestMs || this.told.has(key)) continue;
      this.told.add(key);
      this.problems.push(`${key} for ${Math.round((now - since) / 1000)} s`);
    }
  }
}
