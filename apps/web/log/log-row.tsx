import { memo, useState, type MouseEvent } from 'react';
import { formatClock } from '../parts/time-format.ts';
import type { LogLine } from './log-buffer.ts';
import { isProtocol, levelOf, lineSpans, markMatches, plainLine, type Span } from './log-line.ts';
import styles from './log.module.css';

/** A longer line is cut here until somebody wants all of it: laying out megabytes in one row stalls the browser. */
const CUT = 4000;

interface LogRowProps {
  readonly n: number;
  readonly line: LogLine | undefined;
  readonly chosen: boolean;
  readonly found: 'no' | 'yes' | 'now';
  readonly query: string;
  readonly times: boolean;
  readonly onNumber: (n: number, event: MouseEvent) => void;
}

export const LogRow = memo(function LogRow({ n, line, chosen, found, query, times, onNumber }: LogRowProps) {
  const [whole, setWhole] = useState(false);
  const plain = line === undefined ? '' : plainLine(line.text);
  return (
    <div
      className={styles.row}
      data-stream={line?.stream}
      data-level={levelOf(plain) ?? undefined}
      data-protocol={isProtocol(plain) || undefined}
      data-chosen={chosen || undefined}
      data-found={found === 'no' ? undefined : found}
      data-line={n}
    >
      <a className={styles.number} href={`#L${n}`} onClick={(event) => onNumber(n, event)} tabIndex={-1}>
        {n}
      </a>
      {times && <span className={styles.clock}>{line === undefined ? '' : formatClock(line.at)}</span>}
      <span className={styles.text}>
        {line?.rank !== undefined && <span className={styles.rank}>[{line.rank}] </span>}
        {line?.stream === 'err' && <span className="sr-only">stderr: </span>}
        {line === undefined ? (
          <span className={styles.pending}>…</span>
        ) : (
          markMatches(lineSpans(line.text, whole ? Infinity : CUT), query).map((span, index) => (
            <Piece key={index} span={span} />
          ))
        )}
        {!whole && plain.length > CUT && (
          <button type="button" className={styles.whole} onClick={() => setWhole(true)}>
            {(plain.length - CUT).toLocaleString('en')} more characters
          </button>
        )}
      </span>
    </div>
  );
});

function Piece({ span }: { span: Span & { match?: true } }) {
  const styled =
    span.color ?? span.background ?? span.bold ?? span.faint ?? span.italic ?? span.underline ?? span.strike;
  if (span.match === true) return <mark>{span.text}</mark>;
  if (styled === undefined) return span.text;
  return (
    <span
      style={{
        color: span.background === undefined ? span.color : 'var(--surface)',
        background: span.background,
        fontWeight: span.bold ? 700 : undefined,
        opacity: span.faint ? 0.8 : undefined,
        fontStyle: span.italic ? 'italic' : undefined,
        textDecoration:
          [span.underline ? 'underline' : '', span.strike ? 'line-through' : ''].join(' ').trim() || undefined,
      }}
    >
      {span.text}
    </span>
  );
}
