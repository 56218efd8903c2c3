import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { startEmbeddedPostgres } from '#platform';
import { type Effect, orderProblemsOf, parseEffects, problemsOf } from './effects.ts';
import { killWhile, schedulerOf } from './kills.ts';
import { homeOf, type Peer } from './peers.ts';
import { cpuSeconds, killAll, memoryMiB, nowMs } from './processes.ts';
import { type AppendOnlyRedis, startAppendOnlyRedis } from './redis.ts';
import { type Killed, tollOf } from './toll.ts';
import type { Pipeline, Round, Task } from './workloads.ts';

/** A round as it went, in ms of CLOCK_MONOTONIC. */
export interface MeasuredRound {
  readonly label: string;
  readonly askedMs: number;
  /** When the engine itself said that all runs have ended. */
  readonly endedMs: number;
  readonly effects: readonly Effect[];
  readonly problems: readonly string[];
  /** Empty unless there were kills: bodies that say that they begin, and the kills. */
  readonly begun: readonly Effect[];
  readonly kills: readonly Killed[];
}

type Postgres = Awaited<ReturnType<typeof startEmbeddedPostgres>>;

interface Answer {
  readonly ready?: boolean;
  readonly done?: boolean;
  readonly error?: string;
  /** The adapter is gone. */
  readonly ended?: boolean;
}

/** So often a supervisor starts a command again that keeps failing. */
const MOST_RESTARTS = 6;
const BACKLOG_LOOK_MS = 100;

/** An engine with an empty database of its own that knows the pipelines. */
export class Session {
  private readonly answers: Answer[] = [];
  private wake: () => void = () => undefined;
  private adapter: ChildProcess;

  private constructor(
    private readonly folder: string,
    private readonly pipelines: readonly Pipeline[],
    private readonly startAdapter: () => ChildProcess,
    private readonly postgres: Postgres | null,
    private readonly redis: AppendOnlyRedis | null,
    private readonly marker: string,
    private readonly log: number,
    private readonly startedMs: number,
  ) {
    this.adapter = this.listenTo(startAdapter());
  }

  private listenTo(adapter: ChildProcess): ChildProcess {
    createInterface({ input: adapter.stdio[3] as NodeJS.ReadableStream }).on('line', (line) => {
      this.answers.push(JSON.parse(line) as Answer);
      this.wake();
    });
    // A line to one that was killed gets nowhere; that it ended is told below.
    adapter.stdin?.on('error', () => undefined);
    adapter.once('exit', (code, signal) => {
      this.answers.push({ error: `the adapter ended with ${code ?? signal}`, ended: true });
      this.wake();
    });
    return adapter;
  }

  static async open(
    peer: Peer,
    options: { pipelines: readonly Pipeline[]; parallelism: number; benchFolder: string },
  ): Promise<Session> {
    const { pipelines, parallelism, benchFolder } = options;
    const folder = await mkdtemp(path.join(tmpdir(), `sluice-peer-${peer.name}-`));
    const work = path.join(folder, 'work');
    await mkdir(work);
    const startedMs = nowMs();
    const postgres =
      peer.needs === 'postgres' ? await startEmbeddedPostgres({ dataFolder: path.join(folder, 'pg') }) : null;
    const redis = peer.needs === 'redis' ? await startAppendOnlyRedis(path.join(folder, 'redis')) : null;
    const specFile = path.join(folder, 'spec.json');
    const spec = {
      engine: peer.name,
      settings: peer.settings,
      effects: path.join(folder, 'effects'),
      folder: work,
      home: homeOf(peer),
      bodies: path.join(benchFolder, 'bodies'),
      databaseUrl: postgres?.url ?? null,
      redisUrl: redis?.url ?? null,
      parallelism,
      pipelines,
    };
    await writeFile(specFile, JSON.stringify(spec));
    const log = openSync(path.join(folder, 'log'), 'a');
    const [program = '', ...args] = peer.command(benchFolder);
    const marker = `PEER_SPEC=${specFile}`;
    const path_ = `${homeOf(peer)}/bin:${process.env.PATH ?? ''}`;
    const startAdapter = (): ChildProcess =>
      spawn(program, args, {
        cwd: work,
        env: { ...process.env, PEER_SPEC: specFile, HOME: work, PATH: path_ },
        stdio: ['pipe', log, log, 'pipe'],
        detached: true,
      });
    return new Session(folder, pipelines, startAdapter, postgres, redis, marker, log, startedMs);
  }

  /** Until it takes runs; ms since the start of its processes. */
  async ready(boundMs: number): Promise<number> {
    await this.done(boundMs);
    return nowMs() - this.startedMs;
  }

  /** Asks for runs that are not waited for, until the first task of one has begun. */
  async startBacklog(runs: readonly string[], boundMs: number): Promise<void> {
    const until = nowMs() + boundMs;
    this.ask({ runs, stays: true });
    await this.done(boundMs);
    while ((await this.take('effects.begun')) === '') {
      if (nowMs() > until) throw new Error(`the backlog did not begin: time-out\n${await this.logTail()}`);
      await pause(BACKLOG_LOOK_MS);
    }
  }

  /** Throws when the engine fails or takes longer than `boundMs`; the session is of no use then. */
  async round(round: Round, boundMs: number): Promise<MeasuredRound> {
    const aheadMs = realtimeAheadMs();
    const askedMs = nowMs();
    this.ask({ runs: round.runs });
    let kills: readonly Killed[] = [];
    if (round.kills === undefined) await this.done(boundMs);
    else kills = await this.doneInSpiteOf(round, boundMs);
    const endedMs = nowMs();
    const translateMs = (aheadMs + realtimeAheadMs()) / 2;
    const effects = parseEffects(await this.take('effects'), translateMs);
    const begun = parseEffects(await this.take('effects.begun'), translateMs);
    const problems =
      round.kills === undefined
        ? problemsOf(this.pipelines, round, effects)
        : [
            ...round.kills.slice(kills.length).map(({ whom }) => `it ended before the kill of a ${whom}`),
            ...orderProblemsOf(this.tasksOf(round), effects),
          ];
    return { label: round.label, askedMs, endedMs, effects, problems, begun, kills };
  }

  /** Does what a supervisor does: what was killed, or is a command that failed, is started again, and told to go on. */
  private async doneInSpiteOf(round: Round, boundMs: number): Promise<Killed[]> {
    const until = nowMs() + boundMs;
    const over = new AbortController();
    const victims = {
      effectsFile: path.join(this.folder, 'effects'),
      schedulerFile: path.join(this.folder, 'work', 'scheduler.json'),
      log: this.log,
      adapterPid: () => this.adapter.pid ?? 0,
    };
    const killing = killWhile(victims, round.kills ?? [], this.tasksOf(round).length, over.signal);
    // Told where it is awaited, when the round is over.
    killing.catch(() => undefined);
    try {
      for (let restarts = 0; ; restarts++) {
        const { error, ended = false } = await this.answer(until - nowMs());
        if (error === undefined) break;
        if (restarts === MOST_RESTARTS) throw new Error(`${error}\n${await this.logTail()}`);
        if (ended) {
          const scheduler = await schedulerOf(victims);
          await killAll([], this.marker, scheduler === null ? [] : [scheduler.pid]);
          this.adapter = this.listenTo(this.startAdapter());
          await this.done(until - nowMs());
        }
        this.ask({ runs: round.runs, resume: true });
      }
    } catch (error) {
      const ended = parseEffects(await this.take('effects'), 0);
      const { lost, doubled } = tollOf(this.tasksOf(round), [], ended, []);
      throw new Error(`${lost} of ${this.tasksOf(round).length} tasks not done, ${doubled} doubled: ${String(error)}`);
    } finally {
      over.abort();
    }
    return killing;
  }

  private tasksOf({ runs }: Round): readonly Task[] {
    return this.pipelines.filter(({ name }) => runs.includes(name)).flatMap(({ tasks }) => tasks);
  }

  private ask(question: { runs: readonly string[]; resume?: boolean; stays?: boolean }): void {
    this.adapter.stdin?.write(`${JSON.stringify(question)}\n`);
  }

  /** What stands in a file of lines, which begins anew. */
  private async take(name: string): Promise<string> {
    const taken = path.join(this.folder, 'taken');
    try {
      await rename(path.join(this.folder, name), taken);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
    return readFile(taken, 'utf8');
  }

  cpuSeconds(): Promise<number> {
    return cpuSeconds(this.roots(), this.marker);
  }

  memoryMiB(): Promise<number> {
    return memoryMiB(this.roots(), this.marker);
  }

  async close(): Promise<void> {
    await killAll([this.adapter.pid ?? 0], this.marker);
    closeSync(this.log);
    await this.postgres?.stop();
    await this.redis?.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The end of what the engine and its adapter wrote. */
  async logTail(): Promise<string> {
    return (await readFile(path.join(this.folder, 'log'), 'utf8')).slice(-2000);
  }

  private roots(): number[] {
    return [this.adapter.pid, this.postgres?.pid, this.redis?.pid].filter((pid) => pid !== undefined);
  }

  private async done(boundMs: number): Promise<void> {
    const { error } = await this.answer(boundMs);
    if (error !== undefined) throw new Error(`${error}\n${await this.logTail()}`);
  }

  private async answer(boundMs: number): Promise<Answer> {
    const until = nowMs() + boundMs;
    while (this.answers.length === 0) {
      const left = until - nowMs();
      if (left <= 0)
        throw new Error(`no answer within ${Math.round(boundMs / 1000)} s: time-out\n${await this.logTail()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.answers.shift() as Answer;
  }
}

/** Taken where the wall clock's millisecond changes, since Date shows no finer one. */
function realtimeAheadMs(): number {
  const before = Date.now();
  while (Date.now() === before);
  return Date.now() - nowMs();
}
