import type { AuditEntry, BackfillOrder, BackfillRecord, BackfillState, Reprocess } from '#core';
import { BACKFILL_STATES, BACKFILL_TRANSITIONS, SluiceError } from '#core';
import { intervalsBetween } from '#dag';
import { instant } from '../manual-interval.ts';
import { newRun, resolvePipeline, type ResolvedPipeline, type ResolveParts } from '../new-run.ts';
import { fillBackfill, readFacts } from './fill-backfill.ts';
import { planInterval, type BackfillItem } from './plan-interval.ts';
import { whyNoInterval } from './why-no-interval.ts';

const MAX_INTERVALS = 10_000;

export interface BackfillRequest {
  readonly environment: string;
  readonly pipeline: string;
  readonly from: string;
  readonly to: string;
  readonly reprocess: Reprocess;
  /** Default: the release that the environment points at, also when it moves meanwhile. */
  readonly release?: string;
  readonly order?: BackfillOrder;
  /** Default: the pipeline's `max_active_runs`, which holds for all of its runs together. */
  readonly maxActive?: number;
}

export interface PlannedBackfill {
  /** Null: it was only planned, or there is nothing to do. */
  readonly id: string | null;
  /** In the order of time. */
  readonly items: readonly BackfillItem[];
  /** Why the range holds no interval at all, so that nothing was noted; null: it holds some. */
  readonly nothing: string | null;
}

/** What people may ask of backfills. Every method throws `SluiceError`: `not_found`, `bad_request`, `conflict`. */
export class Backfills {
  constructor(
    private readonly options: ResolveParts & {
      readonly now: () => Date;
      readonly onChange: () => void;
    },
  ) {}

  /** What a backfill would do, interval by interval. */
  async plan(request: BackfillRequest): Promise<PlannedBackfill> {
    const resolved = await this.resolve(request);
    return { id: null, ...(await this.items(request, resolved)) };
  }

  /** Notes the plan, which the scheduler works off from now on; its first runs exist already. */
  async create(request: BackfillRequest, actor: string): Promise<PlannedBackfill> {
    const { store, now } = this.options;
    const resolved = await this.resolve(request);
    const { items, nothing } = await this.items(request, resolved);
    if (nothing !== null) return { id: null, items, nothing };
    // Tells now what would stop it at its first run.
    newRun(resolved, null, {});
    const { environment, pipeline, reprocess } = request;
    const order = request.order ?? 'oldest_first';
    const maxActive = request.maxActive ?? resolved.pipeline.maxActiveRuns;
    const intervals = items.map(({ interval, action, reason }) => ({
      start: interval.start.toISOString(),
      end: interval.end.toISOString(),
      state: action === 'create' ? ('pending' as const) : ('left_out' as const),
      reason,
    }));
    const id = await store.audited(
      async (inside) => {
        const created = await inside.createBackfill({
          ...{ environment, pipeline, reprocess, maxActive, actor, runOrder: order },
          release: request.release ?? null,
          rangeStart: instant('from', request.from).toISOString(),
          rangeEnd: instant('to', request.to).toISOString(),
          intervals: order === 'newest_first' ? intervals.reverse() : intervals,
        });
        await fillBackfill({ ...this.options, store: inside }, created, now());
        return created;
      },
      (created) => [
        entry(
          actor,
          'backfill.create',
          { environment, id: created },
          {
            ...{ pipeline, from: request.from, to: request.to, reprocess, order, maxActive },
            release: request.release ?? resolved.release,
            runs: items.filter((item) => item.action === 'create').length,
          },
        ),
      ],
    );
    this.options.onChange();
    return { id, items, nothing };
  }

  /** No further run of it begins; what runs goes on. */
  pause(id: string, actor: string): Promise<void> {
    return this.move(id, 'paused', actor, `paused by ${actor}`);
  }

  resume(id: string, actor: string): Promise<void> {
    return this.move(id, 'running', actor, null);
  }

  /** Ends it, its queued runs at once, its running ones as a cancelled run ends. */
  cancel(id: string, actor: string): Promise<void> {
    return this.move(id, 'cancelled', actor, `cancelled by ${actor}`);
  }

  private async move(id: string, to: 'running' | 'paused' | 'cancelled', actor: string, reason: string | null) {
    const backfill = await this.get(id);
    const from = BACKFILL_STATES.filter((state) => BACKFILL_TRANSITIONS[state].includes(to));
    const moved = await this.options.store.audited(
      async (store) => {
        if (!(await store.moveBackfill(id, from, to, reason))) return false;
        if (to !== 'cancelled') return true;
        const live = await store.liveRunsOfBackfill(id);
        const queued = live.filter((run) => run.state === 'queued').map((run) => run.id);
        await store.endQueued(queued, 'cancelled', `backfill ${id} was ${reason}`);
        // All of them: a queued one may have begun meanwhile.
        await store.send(live.map((run) => ({ runId: run.id, kind: 'cancel', payload: { actor } })));
        return true;
      },
      (done) => (done ? [entry(actor, ACTIONS[to], backfill, { pipeline: backfill.pipeline })] : []),
    );
    if (!moved)
      throw new SluiceError('conflict', `Backfill ${id} is ${(await this.get(id)).state}.`, {
        hint: `It can be ${to === 'running' ? 'resumed' : to} while it is ${from.join(' or ')}.`,
      });
    this.options.onChange();
  }

  private async get(id: string): Promise<BackfillRecord> {
    const backfill = /^\d{1,18}$/.test(id) ? await this.options.store.getBackfill(id) : null;
    if (backfill) return backfill;
    throw new SluiceError('not_found', `There is no backfill ${JSON.stringify(id)}.`, {
      hint: 'See `sluice backfill list`.',
    });
  }

  private async resolve({ environment, pipeline, release, order }: BackfillRequest): Promise<ResolvedPipeline> {
    const resolved = await resolvePipeline(this.options, environment, pipeline, release);
    const waiting = resolved.pipeline.tasks.find(({ past }) => past !== undefined);
    if (order === 'newest_first' && waiting)
      throw new SluiceError(
        'bad_request',
        `Task "${waiting.id}" of "${pipeline}" depends on the interval before, so the newest cannot come first.`,
        { hint: 'Leave the order out: the oldest interval comes first.' },
      );
    if (resolved.pipeline.schedule.kind !== 'manual') return resolved;
    throw new SluiceError('bad_request', `Pipeline "${pipeline}" has no schedule, so it has no intervals to fill.`);
  }

  private async items(
    request: BackfillRequest,
    resolved: ResolvedPipeline,
  ): Promise<Pick<PlannedBackfill, 'items' | 'nothing'>> {
    const { store, now } = this.options;
    const { schedule } = resolved.pipeline;
    const from = instant('from', request.from);
    const to = instant('to', request.to);
    if (from >= to) throw new SluiceError('bad_request', `from (${request.from}) must be before to (${request.to}).`);
    const intervals = schedule.kind === 'manual' ? [] : intervalsBetween(schedule, from, from, to, MAX_INTERVALS + 1);
    if (intervals.length > MAX_INTERVALS)
      throw new SluiceError('bad_request', `The backfill has more than ${MAX_INTERVALS} intervals.`, {
        hint: 'Split it into shorter ones.',
      });
    if (intervals.length === 0) return { items: [], nothing: whyNoInterval(resolved.pipeline, from, to) };
    const facts = await readFacts(store, request, resolved, intervals, now());
    return { items: intervals.map((interval) => planInterval(interval, facts)), nothing: null };
  }
}

const ACTIONS: Readonly<Record<Exclude<BackfillState, 'done'>, string>> = {
  running: 'backfill.resume',
  paused: 'backfill.pause',
  cancelled: 'backfill.cancel',
};

function entry(
  actor: string,
  action: string,
  { environment, id }: { environment: string; id: string },
  detail: AuditEntry['detail'],
): AuditEntry {
  return { actor, action, environment, subject: `backfill ${id}`, detail };
}
