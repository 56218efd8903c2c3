import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { startEmbeddedPostgres } from '#platform';
import { type Effect, parseEffects, problemsOf } from './effects.ts';
import { homeOf, type Peer } from './peers.ts';
import { cpuSeconds, killAll, memoryMiB } from './processes.ts';
import { type AppendOnlyRedis, startAppendOnlyRedis } from './redis.ts';
import type { Pipeline, Round } from './workloads.ts';

/** A round as it went, in ms of CLOCK_MONOTONIC. */
export interface MeasuredRound {
  readonly label: string;
  readonly askedMs: number;
  /** When the engine itself said that all runs have ended. */
  readonly endedMs: number;
  readonly effects: readonly Effect[];
  readonly problems: readonly string[];
}

type Postgres = Awaited<ReturnType<typeof startEmbeddedPostgres>>;

interface Answer {
  readonly ready?: boolean;
  readonly done?: boolean;
  readonly error?: string;
}

/** An engine with an empty database of its own that knows the pipelines. */
export class Session {
  private readonly answers: Answer[] = [];
  private wake: () => void = () => undefined;

  private constructor(
    private readonly folder: string,
    private readonly pipelines: readonly Pipeline[],
    private readonly adapter: ChildProcess,
    private readonly postgres: Postgres | null,
    private readonly redis: AppendOnlyRedis | null,
    private readonly marker: string,
    private readonly startedMs: number,
  ) {
    createInterface({ input: adapter.stdio[3] as NodeJS.ReadableStream }).on('line', (line) => {
      this.answers.push(JSON.parse(line) as Answer);
      this.wake();
    });
    adapter.once('exit', (code, signal) => {
      this.answers.push({ error: `the adapter ended with ${code ?? signal}` });
      this.wake();
    });
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
    const adapter = spawn(program, args, {
      cwd: work,
      env: { ...process.env, PEER_SPEC: specFile, HOME: work, PATH: `${homeOf(peer)}/bin:${process.env.PATH ?? ''}` },
      stdio: ['pipe', log, log, 'pipe'],
      detached: true,
    });
    return new Session(folder, pipelines, adapter, postgres, redis, marker, startedMs);
  }

  /** Until it takes runs; ms since the start of its processes. */
  async ready(boundMs: number): Promise<number> {
    await this.answer(boundMs);
    return nowMs() - this.startedMs;
  }

  /** Throws when the engine fails or takes longer than `boundMs`; the session is of no use then. */
  async round(round: Round, boundMs: number): Promise<MeasuredRound> {
    const aheadMs = realtimeAheadMs();
    const askedMs = nowMs();
    this.adapter.stdin?.write(`${JSON.stringify({ runs: round.runs })}\n`);
    await this.answer(boundMs);
    const endedMs = nowMs();
    const taken = path.join(this.folder, 'effects.taken');
    await rename(path.join(this.folder, 'effects'), taken);
    const effects = parseEffects(await readFile(taken, 'utf8'), (aheadMs + realtimeAheadMs()) / 2);
    return { label: round.label, askedMs, endedMs, effects, problems: problemsOf(this.pipelines, round, effects) };
  }

  cpuSeconds(): Promise<number> {
    return cpuSeconds(this.roots(), this.marker);
  }

  memoryMiB(): Promise<number> {
    return memoryMiB(this.roots(), this.marker);
  }

  async close(): Promise<void> {
    await killAll([this.adapter.pid ?? 0], this.marker);
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

  private async answer(boundMs: number): Promise<void> {
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
    const answer = this.answers.shift();
    if (answer?.error !== undefined) throw new Error(`${answer.error}\n${await this.logTail()}`);
  }
}

export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Taken where the wall clock's millisecond changes, since Date shows no finer one. */
function realtimeAheadMs(): number {
  const before = Date.now();
  while (Date.now() === before);
  return Date.now() - nowMs();
}
