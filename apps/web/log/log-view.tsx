import { useCallback, useEffect, useLayoutEffect, useRef, useState, type MouseEvent } from 'react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useLocation, useNavigate } from '@tanstack/react-router';
import { Button } from '@mantine/core';
import { IconArrowBarToDown } from '@tabler/icons-react';
import { useKeys } from '../parts/keys.ts';
import { Failure } from '../parts/notice.tsx';
import { usePreference, writePreference } from '../parts/preferences.ts';
import { formatLines, parseLines } from './log-line.ts';
import { LogRow } from './log-row.tsx';
import { LogToolbar } from './log-toolbar.tsx';
import { useLog, type LogSource } from './use-log.ts';
import { useLogSearch } from './use-log-search.ts';
import styles from './log.module.css';

const ROW = 19;

interface LogViewProps {
  readonly source: LogSource;
  /** Start at the end: where a failure tells why. */
  readonly fromEnd: boolean;
  readonly query: string;
  readonly onQuery: (query: string) => void;
}

/** The log of one attempt: only lines in sight are in the document, whatever its length. */
export function LogView({ source, fromEnd, query, onQuery }: LogViewProps) {
  const navigate = useNavigate();
  const hash = useLocation({ select: (location) => location.hash });
  const chosen = parseLines(hash);
  const log = useLog(source);
  const search = useLogSearch(source, query);
  const wrap = usePreference('log-wrap') === 'yes';
  const times = usePreference('log-times') === 'yes';
  const [full, setFull] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);
  const anchor = useRef<number | null>(chosen?.from ?? null);
  const total = log.buffer.total;
  const follow = useFollow(scroller, source, chosen === null && (fromEnd || !source.over), log.version);

  const virtual = useVirtualizer({
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 40,
  });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  const { need } = log;
  useEffect(() => {
    if (total > 0) need(first + 1, last + 1);
  }, [need, first, last, total]);

  const show = useCallback(
    (n: number) => {
      follow.stop();
      virtual.scrollToIndex(n - 1, { align: 'center' });
    },
    [follow, virtual],
  );
  useLayoutEffect(() => {
    virtual.measure();
  }, [wrap, times, virtual]);
  const ready = total > 0;
  const wanted = chosen?.from;
  useEffect(() => {
    if (ready && wanted !== undefined) virtual.scrollToIndex(wanted - 1, { align: 'center' });
    // Only on arrival: later the reader scrolls, and choosing a line must not move it.
  }, [ready]);

  const step = (by: 1 | -1) => {
    const n = search.go(by);
    if (n !== null) show(n);
  };
  const choose = useCallback(
    (n: number, event: MouseEvent) => {
      event.preventDefault();
      const from = event.shiftKey && anchor.current !== null ? anchor.current : n;
      anchor.current = from;
      void navigate({
        to: '.',
        search: (old) => old,
        hash: formatLines(from, n),
        replace: true,
        resetScroll: false,
        hashScrollIntoView: false,
      });
    },
    [navigate],
  );
  const toggle = (key: 'log-wrap' | 'log-times', on: boolean) => writePreference(key, on ? 'no' : 'yes');
  useKeys({
    f: () => setFull((old) => !old),
    w: () => toggle('log-wrap', wrap),
    s: () => toggle('log-times', times),
    n: () => step(1),
    N: () => step(-1),
    G: () => follow.start(),
    Escape: () => (full ? setFull(false) : onQuery('')),
  });
  const found = new Set(search.lines);
  const now = search.lines[search.at];

  return (
    <section className={styles.log} data-full={full || undefined} aria-label="Log" data-testid="log">
      <LogToolbar
        query={query}
        onQuery={onQuery}
        search={search}
        onStep={step}
        wrap={wrap}
        onWrap={() => toggle('log-wrap', wrap)}
        times={times}
        onTimes={() => toggle('log-times', times)}
        full={full}
        onFull={() => setFull(!full)}
        total={total}
        state={log.state}
      />
      {log.error !== null && total === 0 ? (
        <Failure error={log.error} onRetry={() => log.need(1, 1)} />
      ) : (
        <div
          ref={scroller}
          className={styles.scroller}
          data-wrap={wrap || undefined}
          tabIndex={0}
          role="region"
          aria-label="Lines"
          onScroll={follow.onScroll}
          style={{ '--digits': `${Math.max(4, String(total).length)}ch` } as React.CSSProperties}
        >
          <div className={styles.all} style={{ height: virtual.getTotalSize() }}>
            <div className={styles.window} style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
              {items.map((item) => (
                <div key={item.key} ref={wrap ? virtual.measureElement : undefined} data-index={item.index}>
                  <LogRow
                    n={item.index + 1}
                    line={log.buffer.get(item.index + 1)}
                    chosen={chosen !== null && item.index + 1 >= chosen.from && item.index + 1 <= chosen.to}
                    found={now === item.index + 1 ? 'now' : found.has(item.index + 1) ? 'yes' : 'no'}
                    query={search.query}
                    times={times}
                    onNumber={choose}
                  />
                </div>
              ))}
            </div>
          </div>
          {total === 0 && (
            <p className={styles.empty}>
              {log.state === 'complete'
                ? 'This attempt wrote nothing.'
                : log.state === 'live'
                  ? 'Nothing written yet.'
                  : ''}
            </p>
          )}
        </div>
      )}
      {!follow.on && log.state === 'live' && (
        <Button
          className={styles.follow ?? ''}
          size="compact-sm"
          leftSection={<IconArrowBarToDown size={15} />}
          onClick={follow.start}
          data-testid="follow"
        >
          Follow
        </Button>
      )}
    </section>
  );
}

/** Stays at the end as lines come, until the reader scrolls up; starts again at the end or by the button. */
function useFollow(
  scroller: React.RefObject<HTMLDivElement | null>,
  source: LogSource,
  initially: boolean,
  version: number,
) {
  const [on, setOn] = useState(initially);
  const lastTop = useRef(0);
  const toEnd = useCallback(() => {
    const element = scroller.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  }, [scroller]);
  useEffect(() => setOn(initially), [source.run, source.task, source.map, source.number, initially]);
  useLayoutEffect(() => {
    if (on) toEnd();
  }, [on, version, toEnd]);
  const start = useCallback(() => {
    setOn(true);
    toEnd();
  }, [toEnd]);
  const stop = useCallback(() => setOn(false), []);
  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - ROW * 2;
    if (element.scrollTop < lastTop.current - 2) setOn(false);
    else if (atEnd && !source.over) setOn(true);
    lastTop.current = element.scrollTop;
  }, [scroller, source.over]);
  return { on, start, stop, onScroll };
}
