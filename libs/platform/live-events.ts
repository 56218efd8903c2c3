import { liveEvent, type LiveEvent } from '#contracts';
import { apiQueries, type Db } from '#store';

const KEPT = 5000;
const BATCH = 1000;
const PROGRESS_KEPT = 10_000;
/** With nobody listening the stream is only kept warm for those who come back. */
const IDLE_MS = 5000;
const WATCHED_MS = 200;

type Position = Awaited<ReturnType<typeof apiQueries.readEventEnd>>;
interface Told {
  readonly position: Position;
  readonly environment: string;
  readonly runId: string | null;
  readonly event: LiveEvent;
}
export interface LiveListener {
  event(id: string, event: LiveEvent): void;
  reset(id: string): void;
}
interface Subscriber {
  readonly topics: ReadonlySet<string>;
  readonly listener: LiveListener;
}

/**
 * Tells screens what changed: one reader per process follows the `event` table in commit order and hands each event to
 * whoever asked for its environment or its run. The last 5,000 are kept, so that a lost connection resumes.
 */
export class LiveEvents {
  readonly #kept: Told[] = [];
  readonly #subscribers = new Set<Subscriber>();
  readonly #progress = new Map<string, { done: number; total: number; label: string }>();
  #position: Position | null = null;
  #reading: Promise<void> | null = null;
  #readAgain = false;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(
    private readonly db: Db,
    private readonly onProblem: (error: unknown) => void,
  ) {}

  /** Starts to follow from now on. */
  async start(): Promise<void> {
    this.#position = await apiQueries.readEventEnd(this.db);
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#reading;
  }

  /** A hint that something was committed; without hints events arrive within a fifth of a second. */
  wake(): void {
    if (this.#stopped || this.#position === null) return;
    if (this.#reading) {
      this.#readAgain = true;
      return;
    }
    this.#reading = this.#readAll()
      .catch(this.onProblem)
      .finally(() => {
        this.#reading = null;
        const again = this.#readAgain;
        this.#readAgain = false;
        if (again) this.wake();
        else this.#arm();
      });
  }

  /** Begins with what was told after `lastEventId`, or with a reset when that is not kept any more. Returns how to stop. */
  subscribe(topics: readonly string[], lastEventId: string | null, listener: LiveListener): () => void {
    const subscriber = { topics: new Set(topics), listener };
    if (lastEventId !== null) this.#replay(lastEventId, subscriber);
    this.#subscribers.add(subscriber);
    this.wake();
    return () => void this.#subscribers.delete(subscriber);
  }

  /** For what is not worth a row: told to who listens now, and remembered for screens that are opened later. */
  tellProgress(event: Extract<LiveEvent, { kind: 'progress' }>): void {
    const { runId, taskId, mapIndex, done, total, label, environment } = event;
    const key = `${runId}/${taskId}/${mapIndex}`;
    this.#progress.delete(key);
    this.#progress.set(key, { done, total, label });
    const [oldest] = this.#progress.keys();
    if (this.#progress.size > PROGRESS_KEPT && oldest !== undefined) this.#progress.delete(oldest);
    for (const subscriber of this.#subscribers)
      if (wants(subscriber, { environment, runId, event }))
        subscriber.listener.event(this.#idOf(this.#kept.at(-1)), event);
  }

  progress(runId: string, taskId: string, mapIndex: number): { done: number; total: number; label: string } | null {
    return this.#progress.get(`${runId}/${taskId}/${mapIndex}`) ?? null;
  }

  #arm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.wake(), this.#subscribers.size > 0 ? WATCHED_MS : IDLE_MS);
    this.#timer.unref();
  }

  async #readAll(): Promise<void> {
    for (;;) {
      const rows = await apiQueries.readEvents(this.db, this.#position as Position, BATCH);
      for (const { xid, id, environment, runId, payload } of rows) {
        this.#position = { xid, id };
        const event = liveEvent.safeParse(payload);
        // A newer program may tell kinds that this one does not know.
        if (event.success) this.#tell({ position: { xid, id }, environment, runId, event: event.data });
      }
      if (rows.length < BATCH || this.#stopped) return;
    }
  }

  #tell(told: Told): void {
    this.#kept.push(told);
    if (this.#kept.length > KEPT * 1.2) this.#kept.splice(0, this.#kept.length - KEPT);
    const id = this.#idOf(told);
    for (const subscriber of this.#subscribers) if (wants(subscriber, told)) subscriber.listener.event(id, told.event);
  }

  #replay(lastEventId: string, subscriber: Subscriber): void {
    const last = parseId(lastEventId);
    const [oldest] = this.#kept;
    // Known to be complete only if what was seen last is still kept, or lies behind what this process started from.
    const known = last !== null && oldest !== undefined && compare(oldest.position, last) <= 0;
    const nothingSince = last !== null && this.#position !== null && compare(last, this.#position) === 0;
    if (!known && !nothingSince) {
      subscriber.listener.reset(this.#idOf(this.#kept.at(-1)));
      return;
    }
    for (const told of this.#kept)
      if (compare(told.position, last) > 0 && wants(subscriber, told))
        subscriber.listener.event(this.#idOf(told), told.event);
  }

  #idOf(told: Told | undefined): string {
    const { xid, id } = told?.position ?? this.#position ?? { xid: '0', id: '0' };
    return `${xid}-${id}`;
  }
}

/** What the promotion board shows of an environment. */
const BOARD_KINDS: readonly LiveEvent['kind'][] = ['promotion', 'release', 'stand'];

function wants({ topics }: Subscriber, { environment, runId, event }: Omit<Told, 'position'>): boolean {
  return (
    topics.has(`env:${environment}`) ||
    (BOARD_KINDS.includes(event.kind) && topics.has(`board:${environment}`)) ||
    (runId !== null && topics.has(`run:${runId}`))
  );
}

function parseId(text: string): Position | null {
  const [, xid, id] = /^(\d{1,19})-(\d{1,19})$/.exec(text) ?? [];
  return xid === undefined || id === undefined ? null : { xid, id };
}

function compare(a: Position, b: Position): number {
  const [left, right] = a.xid === b.xid ? [BigInt(a.id), BigInt(b.id)] : [BigInt(a.xid), BigInt(b.xid)];
  return left < right ? -1 : left > right ? 1 : 0;
}
