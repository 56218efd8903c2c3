import { readFileSync } from 'node:fs';

/** The most memory that a process and those it started had resident, each at its own peak, in bytes. Linux only: else 0. */
export class PeakMemory {
  readonly #peaks = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly pid: number) {
    this.#timer = setInterval(() => this.#look(pid), 5);
    this.#look(pid);
  }

  /** Looks no longer. */
  stop(): number {
    clearInterval(this.#timer);
    return [...this.#peaks.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  #look(pid: number): void {
    const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1];
    if (kilobytes !== undefined) this.#peaks.set(pid, Number(kilobytes) * 1024);
    for (const child of read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean)) this.#look(Number(child));
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has ended meanwhile, or there is no /proc
  }
}
