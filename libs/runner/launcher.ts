import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FROM_LAUNCHER, FrameReader, TO_LAUNCHER, encodeFrame } from './child/frames.mjs';
import { bootId, startTicks } from './child/process-file.mjs';
import { endRecorded } from './end-leftovers.ts';
import { HeldOutput } from './held-output.ts';

export interface LaunchRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the process; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Keep stdin open for `write`; otherwise it is /dev/null. */
  readonly input: boolean;
  /** Open fd 3 as a way back to us. */
  readonly control: boolean;
}

/** How a process ended. `refused`: it could not be started; `lost`: the launcher died, and the process with it. */
export type ProcessEnd =
  | { readonly kind: 'exited'; readonly code: number | null; readonly signal: string | null }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'lost' };

export interface LaunchListener {
  started?(pid: number): void;
  /**
   * Chunks are views of a shared buffer: copy what is kept. Null: go on. Otherwise the process's output is left in its
   * pipes until it resolves, so that it waits when it writes more.
   */
  output(stream: 'out' | 'err', chunk: Buffer): Promise<void> | null;
  /** What came through fd 3; otherwise as `output`. */
  control?(chunk: Buffer): Promise<void> | null;
  /** Called exactly once, after all output. */
  ended(end: ProcessEnd): void;
}

export interface LaunchedProcess {
  write(data: Buffer): void;
  closeInput(): void;
  /** TERM to the whole process group, KILL after `graceMs`; 0 kills at once. */
  end(graceMs: number): void;
}

export interface LauncherOptions {
  readonly childFolder: string;
  readonly scratchFolder: string;
  readonly pidFolder: string;
}

/** Starts processes through the launcher process, which is started at need and again when it dies. */
export class Launcher {
  readonly #options: LauncherOptions;
  #current: RunningLauncher | null = null;
  #nextId = 1;

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  launch(request: LaunchRequest, listener: LaunchListener): LaunchedProcess {
    const launcher = (this.#current ??= this.#start());
    const id = this.#nextId++;
    launcher.listeners.set(id, listener);
    launcher.send(TO_LAUNCHER.spawn, id, JSON.stringify(request));
    return {
      write: (data) => launcher.send(TO_LAUNCHER.input, id, data),
      closeInput: () => launcher.send(TO_LAUNCHER.closeInput, id, ''),
      end: (graceMs) => launcher.send(TO_LAUNCHER.end, id, JSON.stringify({ graceMs })),
    };
  }

  /** A new record file for a process that forks groups of its own. */
  recordFile(name: string): string {
    const launcher = (this.#current ??= this.#start());
    return launcher.writeRecord(`${launcher.marker}.${name}`);
  }

  /** Folder for scratch of what this launcher starts; removed when the launcher ends, whatever way. */
  scratchFolder(): string {
    return (this.#current ??= this.#start()).scratchFolder;
  }

  /** Ends the launcher; it kills whatever it still runs. Resolves when it is gone. */
  async close(): Promise<void> {
    const launcher = this.#current;
    this.#current = null;
    await launcher?.close();
  }

  #start(): RunningLauncher {
    const started = new RunningLauncher(this.#options, () => {
      if (this.#current === started) this.#current = null;
    });
    return started;
  }
}

class RunningLauncher {
  readonly listeners = new Map<number, LaunchListener>();
  readonly marker = randomBytes(9).toString('hex');
  readonly scratchFolder: string;
  readonly #options: LauncherOptions;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  readonly #held = new HeldOutput(
    (id) => this.send(TO_LAUNCHER.hold, id, ''),
    (id) => this.send(TO_LAUNCHER.goOn, id, ''),
  );
  #waiting: Buffer[] = [];

  constructor(options: LauncherOptions, onGone: () => void) {
    this.#options = options;
    this.scratchFolder = join(options.scratchFolder, this.marker);
    mkdirSync(this.scratchFolder, { recursive: true, mode: 0o700 });
    mkdirSync(options.pidFolder, { recursive: true, mode: 0o700 });
    const settings = {
      marker: this.marker,
      processFile: this.writeRecord(`${this.marker}.pids`),
      pipeFolder: join(this.scratchFolder, 'pipes'),
      scratchFolder: this.scratchFolder,
    };
    // Its own session, so that a Ctrl-C reaches it only through us; and none of our environment.
    const program = ['--expose-gc', join(options.childFolder, 'launcher.mjs')];
    this.#child = spawn(process.execPath, [...program, JSON.stringify(settings)], {
      detached: true,
      env: { SLUICE_PROCESS: this.marker },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const frames = new FrameReader((type, id, payload) => this.#receive(type, id, payload));
    this.#child.stdout!.on('data', (chunk: Buffer) => frames.push(chunk));
    this.#child.stdin!.on('error', () => undefined); // it died: the close event tells everybody
    this.#gone = new Promise((resolve) => {
      const gone = (): void => {
        onGone();
        this.#lose();
        resolve();
      };
      this.#child.once('close', gone);
      this.#child.once('error', gone);
    });
  }

  // Requests of one turn leave in one write.
  send(type: number, id: number, payload: string | Buffer): void {
    if (this.#waiting.length === 0) queueMicrotask(() => this.#flush());
    this.#waiting.push(encodeFrame(type, id, payload));
  }

  writeRecord(name: string): string {
    const file = join(this.#options.pidFolder, name);
    const header = {
      owner: { pid: process.pid, start: startTicks(process.pid) },
      boot: bootId(),
      marker: this.marker,
      scratch: this.scratchFolder,
    };
    writeFileSync(file, `${JSON.stringify(header)}\n`, { mode: 0o600 });
    return file;
  }

  async close(): Promise<void> {
    this.#flush();
    this.#child.stdin!.end();
    await this.#gone;
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    this.#child.stdin!.write(this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting));
    this.#waiting = [];
  }

  #receive(type: number, id: number, payload: Buffer): void {
    const listener = this.listeners.get(id);
    if (listener === undefined) return;
    if (type === FROM_LAUNCHER.stdout) this.#held.until(id, listener.output('out', payload));
    else if (type === FROM_LAUNCHER.stderr) this.#held.until(id, listener.output('err', payload));
    else if (type === FROM_LAUNCHER.control) this.#held.until(id, listener.control?.(payload) ?? null);
    else if (type === FROM_LAUNCHER.started)
      listener.started?.((JSON.parse(payload.toString()) as { pid: number }).pid);
    else {
      this.listeners.delete(id);
      const kind = type === FROM_LAUNCHER.exited ? 'exited' : 'refused';
      listener.ended({ kind, ...(JSON.parse(payload.toString()) as object) } as ProcessEnd);
    }
  }

  /** Nobody watches the processes of a dead launcher any more: they are killed here before they are reported lost. */
  #lose(): void {
    endRecorded(this.#options.pidFolder, this.marker);
    const listeners = [...this.listeners.values()];
    this.listeners.clear();
    for (const listener of listeners) listener.ended({ kind: 'lost' });
  }
}
