import type { RunDetail, TaskRun } from '#contracts';
import type { Io } from '../io.ts';
import { runDuration } from '../commands/run-table.ts';
import { cleanLine } from '../output/clean-text.ts';
import { stateMark, stateSymbol } from '../output/state-mark.ts';
import { mayRedraw, styleFor, type Style } from '../output/style.ts';
import { cutText } from '../output/table.ts';
import { taskName } from '../output/task-name.ts';
import { durationText, isoInstant } from '../output/time.ts';

/** Shows a run's course on stderr. */
export interface ProgressView {
  update(detail: RunDetail): void;
  /** Whether other lines may be written between its own. */
  readonly mayBeMixed: boolean;
  /** Leaves the screen in order; nothing may be shown afterwards. */
  close(): void;
}

/** Redraws in place on a terminal; otherwise writes one line per change. */
export function progressView(io: Io): ProgressView {
  return mayRedraw(io, io.err) ? new RedrawnView(io) : new LineView(io);
}

/** One line per change, wherever it is shown. */
export function lineView(io: Io): ProgressView {
  return new LineView(io);
}

class LineView implements ProgressView {
  readonly mayBeMixed = true;
  readonly #io: Io;
  readonly #seen = new Map<string, string>();

  constructor(io: Io) {
    this.#io = io;
  }

  /** What changed since the last look, in the order it happened. */
  update(detail: RunDetail): void {
    const now = this.#io.now();
    const run = {
      name: `run ${detail.id}`,
      row: detail,
      at: detail.finishedAt ?? detail.startedAt ?? detail.createdAt,
    };
    const changed = [
      ...this.#unseenStart(detail, run.name),
      run,
      ...detail.taskRuns.map((row) => ({ name: taskName(row), row, at: taskInstant(row, now) })),
    ].filter(({ name, row }) => row.state !== 'none' && this.#seen.get(name) !== row.state);
    changed.sort((a, b) => a.at.localeCompare(b.at) || Number(a === run) - Number(b === run));
    for (const { name, row, at } of changed) {
      this.#seen.set(name, row.state);
      this.#io.err.write(`${cleanLine(`${isoInstant(at)} ${name} ${outcome(row, now)}`)}\n`);
    }
  }

  /** A run that ended between two looks: that it began is said all the same. */
  #unseenStart(detail: RunDetail, name: string) {
    const { startedAt, state } = detail;
    if (startedAt === null || ['queued', 'running'].includes(state)) return [];
    if (!['queued', undefined].includes(this.#seen.get(name))) return [];
    return [{ name, row: { ...detail, state: 'running' as const, finishedAt: null, reason: null }, at: startedAt }];
  }

  close(): void {
    this.#seen.clear();
  }
}

/** `success in 4.0s`, `failed in 2.1s: exit code 3`, `success, taken over from run 5`. */
function outcome(row: TaskRun | RunDetail, now: Date): string {
  if ('taskId' in row && row.originRun !== null) return `${row.state}, taken over from run ${row.originRun}`;
  const took = row.finishedAt === null ? null : runDuration(row, now);
  return `${row.state}${took === null ? '' : ` in ${durationText(took)}`}${row.reason === null ? '' : `: ${row.reason}`}`;
}

class RedrawnView implements ProgressView {
  readonly mayBeMixed = false;
  readonly #io: Io;
  readonly #style: Style;
  readonly #clock: ReturnType<typeof setInterval>;
  #detail: RunDetail | null = null;
  #drawn = 0;

  constructor(io: Io) {
    this.#io = io;
    this.#style = styleFor(io, io.err);
    // Durations grow although nothing changes.
    this.#clock = setInterval(() => this.#draw(), 1_000);
  }

  update(detail: RunDetail): void {
    this.#detail = detail;
    this.#draw();
  }

  close(): void {
    clearInterval(this.#clock);
    this.#draw();
  }

  #draw(): void {
    if (this.#detail === null) return;
    const { columns, rows } = this.#io.err;
    const lines = frame(this.#detail, this.#style, this.#io.now(), Math.max(3, rows - 2), columns - 1);
    const back = this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\u001b[0J`;
    this.#io.err.write(`${back}${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }
}

/** At most `height` lines: the run, then its tasks in the order of the graph; what is most interesting stays when there is no room. */
export function frame(detail: RunDetail, style: Style, now: Date, height: number, width: number): string[] {
  const took = runDuration(detail, now);
  const head = `${stateMark(detail.state, style)}  ${style.bold(cleanLine(detail.pipeline))} ${style.dim(
    `${detail.environment}, run ${detail.id}${took === null ? '' : `, ${durationText(took)}`}`,
  )}`;
  const tasks = detail.tasks.map(({ id }) =>
    taskLine(
      id,
      detail.taskRuns.filter((row) => row.taskId === id),
      style,
      now,
      width,
    ),
  );
  if (tasks.length < height) return [head, ...tasks.map(({ text }) => text)];
  const shown = [...tasks.keys()]
    .sort((a, b) => (tasks[b]?.interest ?? 0) - (tasks[a]?.interest ?? 0) || a - b)
    .slice(0, height - 2)
    .sort((a, b) => a - b)
    .map((i) => tasks[i]?.text ?? '');
  return [head, ...shown, style.dim(`  … and ${tasks.length - shown.length} more tasks`)];
}

function taskLine(
  id: string,
  rows: readonly TaskRun[],
  style: Style,
  now: Date,
  width: number,
): { text: string; interest: number } {
  const only = rows.length === 1 ? rows[0] : undefined;
  const worst = rows.reduce<string>((most, row) => (interest(row.state) > interest(most) ? row.state : most), 'none');
  const room = Math.max(10, width - 24);
  if (only === undefined && rows.length > 0) {
    const counts = new Map<string, number>();
    for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
    const words = [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
    return {
      text: `  ${stateSymbol(worst, style)} ${id}  ${style.dim(cutText(words, room - id.length))}`,
      interest: interest(worst),
    };
  }
  const took = only && only.originRun === null ? runDuration(only, now) : null;
  const detail = [
    only?.state ?? 'not yet',
    took === null ? '' : durationText(took),
    only?.originRun ? `taken over from run ${only.originRun}` : '',
    only && only.tries > 1 ? `try ${only.tries}` : '',
    only?.state === 'running' && only.progress ? progressText(only.progress) : '',
    only?.reason ?? '',
  ];
  const words = cutText(cleanLine(detail.filter(Boolean).join(', ')), Math.max(10, room - id.length));
  return { text: `  ${stateSymbol(worst, style)} ${id}  ${style.dim(words)}`, interest: interest(worst) };
}

function progressText({ done, total, label: text }: { done: number; total: number; label: string }): string {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  return `${'█'.repeat(Math.round(share * 10)).padEnd(10, '░')} ${done}/${total} ${text}`.trim();
}

function interest(state: string): number {
  if (state === 'failed' || state === 'lost') return 5;
  if (state === 'running') return 4;
  if (state === 'retrying' || state === 'waiting') return 3;
  if (state === 'queued' || state === 'ready') return 2;
  return state === 'none' ? 0 : 1;
}

function taskInstant(row: TaskRun, now: Date): string {
  return row.finishedAt ?? row.startedAt ?? row.queuedAt ?? row.readyAt ?? now.toISOString();
}
