import { createHash, randomBytes, randomUUID } from 'node:crypto';
import {
  environmentsOf,
  isAmong,
  type Assignment,
  type AttemptProgress,
  type AttemptResult,
  type Caller,
  type ClaimedAttempt,
  type ObjectStore,
  type QueueName,
  type SecretSource,
  type WorkStore,
} from '#core';
import type { Environments } from '#engine';
import type { ProgressEvent } from './installation.ts';
import { matchesQueue } from './queue-pattern.ts';

export interface WorkParts {
  readonly store: WorkStore;
  readonly environments: Environments;
  readonly readSecret: (source: SecretSource) => Promise<string>;
  readonly releaseObjects: ObjectStore;
  readonly onProgress: (event: ProgressEvent) => void;
}

interface Shown {
  readonly worker: string;
  readonly key: string;
}

/** Without a beat for so long a worker is dead. */
const WORKER_TTL_MS = 8000;
const BEAT_MS = 1000;
/** Attempts that have waited for so long are given to whoever has room, whatever Redis told. */
const MIN_AGE_MS = 1000;
/** Attempts whose progress this process can place. */
const MOST_KNOWN = 20_000;

/** What workers ask and tell. Whoever has the right `work` in an environment may execute what waits there. */
export class Work {
  readonly #known = new Map<string, Assignment>();

  constructor(private readonly parts: WorkParts) {}

  async signIn({ host, pid, capacity, queues }: { host: string; pid: number; capacity: number; queues: string[] }) {
    const worker = `worker-${randomUUID()}`;
    const key = randomBytes(32).toString('base64url');
    await this.parts.store.signIn({
      id: worker,
      keyHash: sha256(key),
      host,
      pid,
      capacity,
      queues,
      ttlMs: WORKER_TTL_MS,
    });
    return { worker, key, beatMs: BEAT_MS };
  }

  async beat(request: Shown & { readonly free: number }, caller: Caller) {
    const proof = proofOf(request);
    const { held, patterns } = await this.parts.store.beat(proof, WORKER_TTL_MS);
    const queues = this.#queues(patterns, caller);
    const taken =
      request.free === 0 || queues.length === 0
        ? []
        : await this.parts.store.take(proof, queues, MIN_AGE_MS, request.free);
    return { queues, held, taken: await this.#handOver(taken) };
  }

  async claim(request: Shown & { readonly attempts: readonly string[] }, caller: Caller) {
    const among = environmentsOf(caller.rights, 'work');
    return { taken: await this.#handOver(await this.parts.store.claim(proofOf(request), request.attempts, among)) };
  }

  async report(
    request: Shown & { readonly results: readonly AttemptResult[]; readonly progress: readonly AttemptProgress[] },
  ) {
    const kept = await this.parts.store.report(proofOf(request), request.results);
    for (const { attemptId } of request.results) this.#known.delete(attemptId);
    for (const { attemptId, done, total, label } of request.progress) {
      const about = this.#known.get(attemptId);
      if (about === undefined) continue;
      const { environment, pipeline, runId, taskId, mapIndex } = about;
      this.parts.onProgress({ kind: 'progress', environment, pipeline, runId, taskId, mapIndex, done, total, label });
    }
    return { kept: [...kept] };
  }

  signOut(request: Shown): Promise<void> {
    return this.parts.store.signOut(proofOf(request));
  }

  releaseObject(key: string): Promise<Buffer | null> {
    return this.parts.releaseObjects.get(key);
  }

  #queues(patterns: readonly string[], { rights }: Caller): QueueName[] {
    const among = environmentsOf(rights, 'work');
    return this.parts.environments
      .all()
      .filter(({ config }) => isAmong(among, config.name))
      .flatMap(({ config }) => Object.keys(config.pools).map((pool) => ({ environment: config.name, pool })))
      .filter((queue) => patterns.some((pattern) => matchesQueue(pattern, queue)));
  }

  #handOver(taken: readonly Assignment[]): Promise<ClaimedAttempt[]> {
    return Promise.all(
      taken.map(async (assignment) => {
        this.#known.set(assignment.attemptId, assignment);
        if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value as string);
        return {
          assignment,
          secrets: Object.fromEntries(
            await Promise.all(
              Object.entries(assignment.secrets).map(async ([name, source]) => [name, await this.#secret(source)]),
            ),
          ) as ClaimedAttempt['secrets'],
          storages: this.#storages(assignment),
          dataFolders: Object.values(this.parts.environments.get(assignment.environment)?.config.data ?? {}),
        };
      }),
    );
  }

  #secret(source: SecretSource): Promise<{ value: string } | { problem: string }> {
    return this.parts.readSecret(source).then(
      (value) => ({ value }),
      (error: Error) => ({ problem: error.message }),
    );
  }

  /** One that has no file here is left out: the worker fails the attempt with that reason. */
  #storages({ environment, reads }: Assignment): Record<string, string> {
    const names = new Set([
      environment,
      ...reads.flatMap(({ versions }) => versions.flatMap((v) => v.environment ?? [])),
    ]);
    return Object.fromEntries(
      [...names].flatMap((name) => {
        const storage = this.parts.environments.get(name)?.config.storage;
        return storage === undefined ? [] : [[name, storage]];
      }),
    );
  }
}

function proofOf({ worker, key }: Shown) {
  return { worker, keyHash: sha256(key) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
