import { useNow } from './clock.ts';
import { elapsed, formatAbsolute, formatAgo, formatDuration, formatInterval } from './time-format.ts';
import { useAbsoluteTimes } from './preferences.ts';

/** Relative by default, absolute with its zone on hover (or everywhere, when the reader prefers that). */
export function Ago({ at, fallback = '–' }: { at: string | null | undefined; fallback?: string }) {
  const absolute = useAbsoluteTimes();
  const near = at != null && Math.abs(Date.now() - Date.parse(at)) < 90_000;
  const now = useNow(absolute || at == null ? 'still' : near ? 'second' : 'ten_seconds');
  if (at == null) return <span className="dim">{fallback}</span>;
  const full = formatAbsolute(at);
  return (
    <time dateTime={at} title={full} className="num" style={{ whiteSpace: 'nowrap' }}>
      {absolute ? full : formatAgo(Date.parse(at), now)}
    </time>
  );
}

/** Time between two instants; counts on while there is no end. */
export function Took({ from, to, fallback = '–' }: { from: string | null; to: string | null; fallback?: string }) {
  const now = useNow(from !== null && to === null ? 'second' : 'still');
  const ms = elapsed(from, to, now);
  if (ms === null) return <span className="dim">{fallback}</span>;
  return (
    <span className="num" style={{ whiteSpace: 'nowrap' }}>
      {formatDuration(ms)}
    </span>
  );
}

export function IntervalText({ interval }: { interval: { start: string; end: string } | null }) {
  if (interval === null) return <span className="dim">no interval</span>;
  return (
    <span className="num" style={{ whiteSpace: 'nowrap' }} title={`[${interval.start}, ${interval.end})`}>
      {formatInterval(interval)}
    </span>
  );
}
