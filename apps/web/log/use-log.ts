import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { LogPageShape } from '#contracts';
import { address, get, part } from '../api.ts';
import { LogBuffer, PAGE, type LogLine } from './log-buffer.ts';

export interface LogSource {
  readonly run: string;
  readonly task: string;
  readonly map: number;
  /** Number of the attempt, from 1. */
  readonly number: number;
  /** False while lines may still come. */
  readonly over: boolean;
  /** Lines written, where that is known. */
  readonly lines: number | null;
}

export interface Log {
  readonly buffer: LogBuffer;
  /** Rises with every change of the buffer. */
  readonly version: number;
  readonly state: 'reading' | 'live' | 'complete' | 'failed';
  readonly error: unknown;
  /** Reads what these lines lack. */
  readonly need: (from: number, to: number) => void;
}

/** One attempt's log: pages as they come into sight, and the live end while it is written. */
export function useLog(source: LogSource): Log {
  const { run, task, map, number } = source;
  const path = `/runs/${part(run)}/tasks/${part(task)}/log`;
  const key = `${path} ${map} ${number}`;
  const buffer = useMemo(() => new LogBuffer(), [key]);
  const [version, setVersion] = useState(0);
  const [state, setState] = useState<Log['state']>('reading');
  const [error, setError] = useState<unknown>(null);
  const asked = useRef(new Map<string, Set<number>>());
  const changed = useFrame(useCallback(() => setVersion((old) => old + 1), []));
  const over = source.over;

  const read = useCallback(
    async (from: number) => {
      const starts = asked.current.get(key) ?? new Set<number>();
      asked.current.set(key, starts);
      if (starts.has(from)) return;
      starts.add(from);
      try {
        const page = await get<LogPageShape>(path, { map, try: number, from, limit: PAGE });
        buffer.put(page.lines);
        // Without a total, a full page says that there is at least one line more.
        buffer.grow(page.total ?? (page.complete || page.lines.length < PAGE ? 0 : page.nextLine));
        setError(null);
        changed();
        return page;
      } catch (problem) {
        setError(problem);
        setState('failed');
        setTimeout(() => starts.delete(from), 2000);
        return undefined;
      }
    },
    [buffer, changed, key, map, number, path],
  );

  useEffect(() => {
    setState('reading');
    if (source.lines !== null) buffer.grow(source.lines);
    let tail: EventSource | null = null;
    let closed = false;
    void read(1).then((page) => {
      if (closed || page === undefined) return;
      if (over) {
        setState('complete');
        return;
      }
      const from = Math.max(page.nextLine, (page.total ?? 0) + 1);
      tail = new EventSource(address(`${path}/tail`, { map, try: number, from }));
      setState('live');
      tail.addEventListener('lines', (message: MessageEvent<string>) => {
        buffer.put(JSON.parse(message.data) as LogLine[]);
        changed();
      });
      tail.addEventListener('end', () => {
        tail?.close();
        setState('complete');
      });
    });
    return () => {
      closed = true;
      tail?.close();
      asked.current.delete(key); // the page may be asked for again, e.g. when a running attempt has ended
    };
    // The number of lines only helps at the start; a change of it must not read everything again.
  }, [buffer, changed, key, map, number, over, path, read]);

  const need = useCallback(
    (from: number, to: number) => {
      for (const start of buffer.missing(from, to)) void read(start);
    },
    [buffer, read],
  );
  return { buffer, version, state, error, need };
}

/** Runs `action` at most once per frame. */
function useFrame(action: () => void): () => void {
  const frame = useRef(0);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  return useCallback(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(action);
  }, [action]);
}
