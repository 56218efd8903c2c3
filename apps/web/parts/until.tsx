import { useNow } from './clock.ts';
import { formatAbsolute, formatDuration } from './time-format.ts';

/** Counts down to an instant. */
export function Until({ at }: { at: string }) {
  const now = useNow('second');
  const left = Date.parse(at) - now;
  return (
    <time dateTime={at} title={formatAbsolute(at)} className="num" style={{ whiteSpace: 'nowrap' }}>
      {left <= 0 ? 'any moment' : `${formatDuration(Math.max(1000, left))} left`}
    </time>
  );
}
