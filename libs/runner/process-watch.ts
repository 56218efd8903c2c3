import { readProcesses, type ProcessLine } from './process-memory.ts';

/** A look costs about 3 ms of a processor; in that time a process may take some hundred MiB more. */
const LOOK_MS = 500;

/** Reads twice a second which processes there are, while somebody wants to know. */
export class ProcessWatch {
  readonly #looks = new Set<(processes: readonly ProcessLine[]) => void>();
  #timer: NodeJS.Timeout | null = null;

  /** Calls `look` with all processes of the machine, from the next look on. Returns how to stop that. */
  watch(look: (processes: readonly ProcessLine[]) => void): () => void {
    this.#looks.add(look);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    return () => this.#forget(look);
  }

  #look(): void {
    const processes = readProcesses();
    for (const look of this.#looks) look(processes);
  }

  #forget(look: (processes: readonly ProcessLine[]) => void): void {
    this.#looks.delete(look);
    if (this.#looks.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
