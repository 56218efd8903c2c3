import { rmSync } from 'node:fs';
import { FROM_WARM, FrameReader, MOST_FROM_WARM, TO_WARM, encodeFrame } from './child/frames.mjs';
import { killGroup, readProcessFile } from './child/process-file.mjs';
import { HeldOutput } from './held-output.ts';
import type { LaunchedProcess, Launcher, LaunchRequest, ProcessEnd } from './launcher.ts';

export interface ForkListener {
  started(pid: number): void;
  /** As `LaunchListener.output`. */
  output(stream: 'out' | 'err', chunk: Buffer): Promise<void> | null;
  /** Called exactly once. `refused` also when the interpreter ended before it was ready. */
  ended(end: ProcessEnd): void;
}

const MAX_COMPLAINT_CHARS = 2_000;

/** A python process that forks one child per attempt, any number at a time. */
export class PythonZygote {
  alive = true;
  lastUsedAt = 0;
  readonly #process: LaunchedProcess;
  readonly #recordFile: string;
  readonly #forks = new Map<number, ForkListener>();
  readonly #held = new HeldOutput(
    (id) => this.#process.write(encodeFrame(TO_WARM.hold, id)),
    (id) => this.#process.write(encodeFrame(TO_WARM.goOn, id)),
  );
  #nextId = 1;
  #ready = false;
  #unreadable = false;
  #complaint = '';

  constructor(launcher: Launcher, recordFile: string, request: Omit<LaunchRequest, 'input' | 'control'>) {
    this.#recordFile = recordFile;
    const frames = new FrameReader((type, id, payload) => this.#receive(type, id, payload), MOST_FROM_WARM);
    this.#process = launcher.launch(
      { ...request, input: true, control: true },
      {
        output: (_stream, chunk) => {
          this.#complain(chunk);
          return null;
        },
        control: (chunk) => {
          this.#hear(frames, chunk);
          return null;
        },
        ended: (end) => this.#ended(end),
      },
    );
  }

  get busy(): boolean {
    return this.#forks.size > 0;
  }

  /** Forks; the returned function ends the child's group: TERM, then KILL after the grace period. */
  fork(order: object, listener: ForkListener): (graceMs: number) => void {
    const id = this.#nextId++;
    this.#forks.set(id, listener);
    this.#process.write(encodeFrame(TO_WARM.run, id, JSON.stringify(order)));
    return (graceMs) => this.#process.write(encodeFrame(TO_WARM.end, id, JSON.stringify({ graceMs })));
  }

  close(): void {
    this.#process.closeInput();
  }

  /** What cannot be read ends the zygote and its attempts, not us. */
  #hear(frames: FrameReader, chunk: Buffer): void {
    if (this.#unreadable) return;
    try {
      frames.push(chunk);
    } catch (error) {
      this.#unreadable = true;
      this.alive = false;
      const reason = error instanceof Error ? error.message : String(error);
      this.#complain(Buffer.from(`its answer cannot be read: ${reason}`));
      this.#process.end(0);
    }
  }

  #receive(type: number, id: number, payload: Buffer): void {
    if (type === FROM_WARM.ready) this.#ready = true;
    const fork = this.#forks.get(id);
    if (fork === undefined) return;
    if (type === FROM_WARM.started) fork.started((JSON.parse(payload.toString()) as { pid: number }).pid);
    else if (type === FROM_WARM.stdout) this.#held.until(id, fork.output('out', payload));
    else if (type === FROM_WARM.stderr) this.#held.until(id, fork.output('err', payload));
    else if (type === FROM_WARM.done) {
      this.#forks.delete(id);
      fork.ended({
        kind: 'exited',
        ...(JSON.parse(payload.toString()) as { code: number | null; signal: string | null }),
      });
    }
  }

  /** The zygote itself says something only when it cannot work. */
  #complain(chunk: Buffer): void {
    this.#complaint = (this.#complaint + chunk.toString()).slice(0, MAX_COMPLAINT_CHARS);
  }

  #ended(end: ProcessEnd): void {
    this.alive = false;
    const forks = [...this.#forks.values()];
    this.#forks.clear();
    this.#killForks();
    const complaint = this.#complaint.trim() || (end.kind === 'refused' ? end.message : 'it ended at once');
    const verdict: ProcessEnd =
      this.#ready || end.kind === 'lost'
        ? { kind: 'lost' }
        : { kind: 'refused', code: end.kind === 'refused' ? end.code : '', message: complaint };
    for (const fork of forks) fork.ended(verdict);
  }

  /** Children of a zygote that was killed live on in groups of their own. */
  #killForks(): void {
    try {
      for (const [pid, start] of readProcessFile(this.#recordFile).groups) killGroup(pid, start);
    } catch {
      // The launcher died and its records were already worked through.
    }
    rmSync(this.#recordFile, { force: true });
  }
}
