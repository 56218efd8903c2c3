import { useEffect, useSyncExternalStore } from 'react';
import { hashKey, useQueryClient, type QueryClient, type QueryKey } from '@tanstack/react-query';
import type { LiveEvent } from '#contracts';
import { address } from './api.ts';
import { applyEvent } from './live-patch.ts';

export type LiveState = 'connecting' | 'live' | 'lost' | 'paused';

/** Events gather this long before anything is read again; while they keep coming, longer and longer up to the second number. */
const GATHER_MS = { first: 600, most: 5000, grow: 1.6 };
/** A hidden tab gives its connection back: browsers allow six per server. */
const HIDDEN_MS = 60_000;
const RETRY_MS = [1000, 2000, 5000, 10_000, 30_000];

/** One event stream per tab. Reconnects by itself; whenever it opens, what was read before is read once more: events fell in between. */
class Live {
  state: LiveState = 'connecting';
  readonly #client: QueryClient;
  readonly #listeners = new Set<() => void>();
  readonly #stale = new Map<string, QueryKey>();
  #topics = '';
  #source: EventSource | null = null;
  #retries = 0;
  #gather: ReturnType<typeof setTimeout> | undefined;
  #gatherMs = GATHER_MS.first;
  #flushedAt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #hide: ReturnType<typeof setTimeout> | undefined;

  constructor(client: QueryClient) {
    this.#client = client;
    document.addEventListener('visibilitychange', () => {
      clearTimeout(this.#hide);
      if (document.hidden) this.#hide = setTimeout(() => this.#pause(), HIDDEN_MS);
      else if (this.state === 'paused') this.#open();
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  watch(topics: readonly string[]): void {
    const joined = [...topics].sort().join(',');
    if (joined === this.#topics) return;
    this.#topics = joined;
    this.#open();
  }

  stop(): void {
    this.#topics = '';
    this.#close();
  }

  #open(): void {
    this.#close();
    if (this.#topics === '') return;
    const source = new EventSource(address('/events', { topics: this.#topics }));
    this.#source = source;
    source.onopen = () => {
      this.#retries = 0;
      this.#set('live');
      this.#readAll();
    };
    source.onmessage = (message: MessageEvent<string>) => {
      applyEvent(this.#client, JSON.parse(message.data) as LiveEvent, (key) => this.#markStale(key));
    };
    source.addEventListener('reset', () => this.#readAll());
    source.onerror = () => {
      this.#set('lost');
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again itself
      source.close();
      this.#retry = setTimeout(() => this.#open(), RETRY_MS[Math.min(this.#retries++, RETRY_MS.length - 1)]);
    };
  }

  #close(): void {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
  }

  #pause(): void {
    this.#close();
    this.#set('paused');
  }

  #readAll(): void {
    void this.#client.invalidateQueries();
  }

  #markStale(key: QueryKey): void {
    this.#stale.set(hashKey(key), key);
    if (this.#gather !== undefined) return;
    const busy = Date.now() - this.#flushedAt < this.#gatherMs;
    this.#gatherMs = busy ? Math.min(this.#gatherMs * GATHER_MS.grow, GATHER_MS.most) : GATHER_MS.first;
    this.#gather = setTimeout(() => {
      this.#gather = undefined;
      this.#flushedAt = Date.now();
      const keys = [...this.#stale.values()];
      this.#stale.clear();
      for (const queryKey of keys) void this.#client.invalidateQueries({ queryKey });
    }, this.#gatherMs);
  }

  #set(state: LiveState): void {
    if (this.state === state) return;
    this.state = state;
    for (const listener of this.#listeners) listener();
  }
}

let live: Live | null = null;

/** A server follows at most 50 topics for one tab. */
const MOST_BOARDS = 40;

/**
 * Follows an environment, one run when its page is open, and what is promoted in the other environments: `boards`, null
 * until they are known, so that the stream is opened once.
 */
export function useLive(env: string, runId: string | null, boards: readonly string[] | null): LiveState {
  const client = useQueryClient();
  live ??= new Live(client);
  const current = live;
  const others = boards === null ? null : boards.filter((name) => name !== env).slice(0, MOST_BOARDS);
  const topics =
    others === null
      ? null
      : [`env:${env}`, ...others.map((name) => `board:${name}`), ...(runId === null ? [] : [`run:${runId}`])].join(',');
  useEffect(() => {
    if (topics !== null) current.watch(topics.split(','));
  }, [current, topics]);
  useEffect(() => () => current.stop(), [current]);
  return useSyncExternalStore(current.subscribe, () => current.state);
}
