import { useState } from 'react';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { get, part } from '../api.ts';
import type { LogSource } from './use-log.ts';

export interface LogSearch {
  readonly query: string;
  /** Line numbers, ascending. */
  readonly lines: readonly number[];
  /** Index into `lines`; −1: none yet. */
  readonly at: number;
  readonly busy: boolean;
  readonly go: (step: 1 | -1) => number | null;
}

/** The server looks through the whole log, so that a match far away is found without reading what lies between. */
export function useLogSearch(source: LogSource, typed: string): LogSearch {
  const [query] = useDebouncedValue(typed.trim(), 250);
  const { run, task, map, number } = source;
  const found = useQuery({
    queryKey: ['log-search', run, task, map, number, query],
    queryFn: ({ signal }) =>
      get<{ lines: number[] }>(
        `/runs/${part(run)}/tasks/${part(task)}/log/search`,
        { map, try: number, q: query },
        signal,
      ),
    enabled: query !== '',
    staleTime: source.over ? Infinity : 5000,
    placeholderData: keepPreviousData,
  });
  const lines = query === '' ? [] : (found.data?.lines ?? []);
  const [chosen, setChosen] = useState({ query: '', at: -1 });
  const at = chosen.query === query ? Math.min(chosen.at, lines.length - 1) : -1;
  const go = (step: 1 | -1) => {
    if (lines.length === 0) return null;
    const next = at < 0 ? (step > 0 ? 0 : lines.length - 1) : (at + step + lines.length) % lines.length;
    setChosen({ query, at: next });
    return lines[next] ?? null;
  };
  return { query, lines, at, busy: found.isFetching, go };
}
