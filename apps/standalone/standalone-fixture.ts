import { spawn, type ChildProcess } from 'node:child_process';
import { chownSync, lchownSync, mkdtempSync, readdirSync, realpathSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, type SluiceClient } from '#contracts/client';
import { readServerFile } from '#platform';
import { processesOf, type SeenProcess } from './processes-of.ts';

export const PROGRAM_ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Start as this user and group instead of ours. */
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly timeoutMs?: number;
  /** A command that starts it, such as `ip netns exec NAME`; it must become the program itself. */
  readonly via?: readonly string[];
  /** Folder of another installed package than the project's. */
  readonly program?: string;
}

const DEV = 'name: dev\nstorage: file://./.sluice/storage/dev\nschedules: active\npools: { default: 4 }\n';

/** A project in a folder of its own, and the built program on it. */
export class TestProject {
  readonly home: string;
  readonly #children = new Set<ChildProcess>();

  /** `program`: folder of the installed package whose dist/ is started. */
  constructor(
    readonly folder: string,
    private readonly program: string = PROGRAM_ROOT,
  ) {
    this.home = join(folder, '.sluice');
  }

  /** Files by path relative to the project; an environment `dev` unless they name one. */
  static async create(files: Readonly<Record<string, string>>, program?: string): Promise<TestProject> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-e2e-')));
    const project = new TestProject(folder, program);
    for (const [file, text] of Object.entries({ 'environments/dev.yaml': DEV, ...files }))
      await project.write(file, text);
    return project;
  }

  async write(file: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, file)), { recursive: true });
    await writeFile(join(this.folder, file), text);
  }

  async remove(...files: readonly string[]): Promise<void> {
    for (const file of files) await rm(join(this.folder, file), { force: true });
  }

  /** Starts `npm start`'s program and resolves once it says where it is. Throws with its output when it ends instead. */
  start(options: StartOptions = {}): Promise<RunningStandalone> {
    return this.spawn(options).ready(options.timeoutMs ?? 60_000);
  }

  /** The same without waiting for it. */
  spawn(options: StartOptions = {}): RunningStandalone {
    return new RunningStandalone(this.#spawn(['standalone.js'], options), this);
  }

  /** Another of the built programs, such as `worker.js`, in the project's folder. */
  spawnProgram(file: string, options: StartOptions = {}): ChildProcess {
    return this.#spawn([file], options);
  }

  /** Commands as the docs show them, in the project's folder. */
  spawnShell(script: string, options: StartOptions = {}): ChildProcess {
    return this.#spawnCommand(['bash', '-ec', script], options);
  }

  /** The same program when it is expected to end by itself. */
  startToEnd(options: StartOptions = {}): Promise<Ended> {
    return outcome(this.#spawn(['standalone.js'], options), options.timeoutMs ?? 60_000);
  }

  /** The built command line in the project's folder. */
  sluice(...argv: readonly string[]): Promise<Ended> {
    return outcome(this.#spawn(['cli.js', ...argv], {}), 60_000);
  }

  /** The same with more in its environment, such as a token of one's own. */
  sluiceWith(env: Readonly<Record<string, string>>, ...argv: readonly string[]): Promise<Ended> {
    return outcome(this.#spawn(['cli.js', ...argv], { env }), 60_000);
  }

  /** `npm run demo`'s program on the repository's own pipelines, its data in this project's folder. */
  demo({ timeoutMs = 60_000 }: { timeoutMs?: number }): Promise<Ended> {
    return outcome(this.#spawn(['demo.js'], { env: { SLUICE_HOME: this.home } }, PROGRAM_ROOT), timeoutMs);
  }

  /** Puts `sluice` and `npx sluice` into a folder of the project; answers a PATH that finds them and this node. */
  async commandPath(): Promise<string> {
    const folder = join(this.folder, 'commands');
    const program = `exec '${process.execPath}' '${join(this.program, 'bin/sluice.mjs')}' "$@"`;
    await this.write('commands/sluice', `#!/bin/sh\n${program}\n`);
    await this.write('commands/npx', `#!/bin/sh\nshift\n${program}\n`);
    for (const name of ['sluice', 'npx']) await chmod(join(folder, name), 0o755);
    return [folder, dirname(process.execPath), process.env.PATH].join(':');
  }

  /** Hands the whole folder to a user. */
  giveTo({ uid, gid }: { uid: number; gid: number }): void {
    chownSync(this.folder, uid, gid);
    for (const name of readdirSync(this.folder, { recursive: true }))
      lchownSync(join(this.folder, name.toString()), uid, gid);
  }

  /** Every live process that has to do with this project. */
  processes(): SeenProcess[] {
    return processesOf(this.folder);
  }

  /** Ends whatever still runs and removes the folder. */
  async destroy(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await until('the end of the processes', () => {
      const left = this.processes();
      for (const { pid } of left) tryKill(pid);
      return left.length === 0;
    });
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #spawn([file = '', ...argv]: readonly string[], options: StartOptions, workingFolder?: string): ChildProcess {
    const { via = [], program = this.program } = options;
    return this.#spawnCommand([...via, process.execPath, join(program, 'dist', file), ...argv], options, workingFolder);
  }

  #spawnCommand(
    [command = '', ...given]: readonly string[],
    { env, user }: StartOptions,
    workingFolder: string = this.folder,
  ): ChildProcess {
    const child = spawn(command, given, {
      cwd: workingFolder,
      // Nothing of this process's environment but the path: its settings must not reach the program.
      env: { PATH: process.env.PATH ?? '', HOME: this.folder, SLUICE_PORT: '0', SLUICE_LOG_LEVEL: 'warn', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    return child;
  }
}

/** A started program: its address, its API, its end. */
export class RunningStandalone {
  url = '';
  client!: SluiceClient;
  token = '';
  out = '';
  err = '';
  /** Resolves when the process is gone. */
  readonly ended: Promise<Ended>;

  constructor(
    private readonly child: ChildProcess,
    private readonly project: TestProject,
  ) {
    child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal, out: this.out, err: this.err }));
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async ready(timeoutMs: number): Promise<this> {
    const shown = /Sluice \S+ runs at (http:\/\/\S+?)\/#code=\S+\n/;
    let over = false;
    void this.ended.then(() => (over = true));
    await until('its address', () => over || shown.test(this.out), timeoutMs).catch((error: Error) => {
      this.child.kill('SIGKILL');
      throw new Error(`${error.message}\n${this.out}\n${this.err}`);
    });
    if (over) throw new Error(`it ended while starting:\n${this.out}\n${this.err}`);
    this.url = shown.exec(this.out)?.[1] ?? '';
    this.token = (await readServerFile(this.project.home))?.token ?? '';
    this.client = createClient({ baseUrl: this.url, token: this.token });
    return this;
  }

  /** Ends it in order. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }

  /** kill -9 of this process alone; nothing is told, nothing is tidied. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Looks at each change of the topic until `look` answers something; throws after `timeoutMs`. */
  async when<T>(
    what: string,
    look: () => Promise<T | null | false>,
    timeoutMs = 30_000,
    topic = 'env:dev',
  ): Promise<T> {
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), timeoutMs);
    try {
      for await (const _ of this.client.events([topic], { signal: over.signal })) {
        const found = await look();
        if (found !== null && found !== false) return found;
      }
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}\n${this.out}\n${this.err}`);
    } finally {
      clearTimeout(timer);
      over.abort();
    }
  }

  /** Starts a run by hand and resolves with it once it has ended. */
  async run(pipeline: string, params: Readonly<Record<string, unknown>> = {}, timeoutMs?: number) {
    const { id } = await this.client.trigger(pipeline, { environment: 'dev', params });
    return this.endOf(id, timeoutMs);
  }

  endOf(id: string, timeoutMs?: number) {
    return this.when(
      `the end of run ${id}`,
      async () => {
        const run = await this.client.run(id);
        return run.finishedAt === null ? null : run;
      },
      timeoutMs,
      `run:${id}`,
    );
  }

  /** A request as it is, with the token. */
  request(method: string, path: string, body?: string, headers: Readonly<Record<string, string>> = {}) {
    const all = new Headers({ authorization: `Bearer ${this.token}`, 'x-sluice': '1', ...headers });
    if (body !== undefined) all.set('content-type', 'application/json');
    return fetch(`${this.url}${path}`, { method, headers: all, ...(body === undefined ? {} : { body }) });
  }
}

/** For what no event tells: files and processes. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function outcome(child: ChildProcess, timeoutMs: number): Promise<Ended> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, out, err });
    });
  });
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ended meanwhile
  }
}
