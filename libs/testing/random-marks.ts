import type { MarkedState, RunEvent } from '#core';
import type { RunSimulator } from './simulate-run.ts';

type MarkEvent = Extract<RunEvent, { kind: 'mark' }>;

/** Marks what chance says, and knows what must not happen afterwards. */
export class RandomMarks {
  /** In the order in which they were made: whoever takes the run over finds them. */
  readonly made: MarkEvent[] = [];
  /** Attempts that a task, or (null) all tasks but those under `finally`, had when it was marked as a whole. */
  readonly #attempts = new Map<string | null, number>();

  constructor(
    private readonly run: RunSimulator,
    private readonly random: () => number,
  ) {}

  make(): void {
    const state: MarkedState = this.random() < 0.5 ? 'success' : 'failed';
    const mark = { kind: 'mark', ...this.#target(), state, reason: `marked ${state}` } as const;
    this.made.push(mark);
    this.run.send(mark);
    const whole = mark.taskIndex === null ? null : this.#idOf(mark.taskIndex);
    if (mark.mapIndex === null) this.#attempts.set(whole, this.#count(whole));
  }

  check(): void {
    for (const [task, before] of this.#attempts)
      if (this.#count(task) !== before) throw new Error(`${task ?? 'the run'} goes on after it was marked`);
    const verdict = this.made.findLast(({ taskIndex }) => taskIndex === null);
    if (verdict !== undefined && this.run.ended?.state !== verdict.state)
      throw new Error(`the run ended ${this.run.ended?.state}, marked ${verdict.state}`);
  }

  /** A task run is marked alone only when it has begun; see `decideMark`. */
  #target(): Pick<MarkEvent, 'taskIndex' | 'mapIndex'> {
    if (this.random() < 0.05) return { taskIndex: null, mapIndex: null };
    const begun = [...this.run.rows.values()].filter(({ number }) => number > 0);
    const one = begun[Math.floor(this.random() * begun.length)];
    if (one !== undefined && this.random() < 0.5)
      return { taskIndex: this.#tasks.findIndex(({ id }) => id === one.taskId), mapIndex: one.mapIndex };
    return { taskIndex: Math.floor(this.random() * this.#tasks.length), mapIndex: null };
  }

  #count(task: string | null): number {
    const isMeant = (id: string): boolean =>
      task === null ? this.#tasks.find((one) => one.id === id)?.final === false : id === task;
    return this.run.attempts.filter((attempt) => isMeant(attempt.task)).length;
  }

  #idOf(taskIndex: number): string {
    return this.#tasks[taskIndex]?.id ?? '';
  }

  get #tasks() {
    return this.run.options.graph.tasks;
  }
}
