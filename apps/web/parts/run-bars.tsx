import { useNavigate } from '@tanstack/react-router';
import type { RunState } from '#core';
import { formatAbsolute, formatDuration, formatInstant } from './time-format.ts';
import { isBad, lookOf } from './state-look.ts';
import styles from './run-bars.module.css';

interface Bar {
  readonly id: string;
  readonly state: RunState;
  readonly createdAt: string;
  readonly durationMs: number | null;
  readonly intervalStart: string | null;
}

const STEP = 8;
const WIDTH = 6;
const HEIGHT = 26;
const SLOTS = 30;

/** The last runs, newest on the right: height is duration, colour and mark are state. A click opens the run. */
export function RunBars({ runs }: { runs: readonly Bar[] }) {
  const navigate = useNavigate();
  const longest = Math.max(1, ...runs.map((run) => run.durationMs ?? 0));
  const offset = SLOTS - runs.length;
  return (
    <svg
      className={styles.bars}
      width={SLOTS * STEP - 2}
      height={HEIGHT + 7}
      role="img"
      aria-label={describe(runs)}
      data-testid="run-bars"
    >
      {Array.from({ length: Math.max(0, offset) }, (_, index) => (
        <rect
          key={`gap ${index}`}
          x={index * STEP}
          y={HEIGHT - 3}
          width={WIDTH}
          height={3}
          rx={1}
          className={styles.gap}
        />
      ))}
      {runs.map((run, index) => {
        const look = lookOf(run.state);
        const started = run.durationMs !== null;
        const height = started
          ? Math.max(5, Math.sqrt((run.durationMs ?? 0) / longest) * HEIGHT)
          : run.state === 'running'
            ? 16
            : 5;
        const x = (offset + index) * STEP;
        return (
          <g
            key={run.id}
            className={styles.bar}
            onClick={(event) => {
              event.stopPropagation();
              void navigate({ to: '/runs/$run', params: { run: run.id } });
            }}
          >
            <title>{title(run)}</title>
            <rect x={x - 1} y={0} width={STEP} height={HEIGHT + 7} fill="transparent" />
            <rect
              x={x + (started ? 0 : 0.75)}
              y={HEIGHT - height + (started ? 0 : 0.75)}
              width={started ? WIDTH : WIDTH - 1.5}
              height={started ? height : height - 1.5}
              rx={1.5}
              style={
                started
                  ? { fill: `var(--s-${look.tone})` }
                  : { fill: `var(--s-${look.tone}-bg)`, stroke: `var(--s-${look.tone})`, strokeWidth: 1.5 }
              }
            />
            {isBad(run.state) && (
              <path
                d={`M${x + 1} ${HEIGHT + 2.5}l4 4m0 -4l-4 4`}
                style={{ stroke: `var(--s-${look.tone}-fg)`, strokeWidth: 1.5, strokeLinecap: 'round' }}
              />
            )}
          </g>
        );
      })}
    </svg>
  );
}

function title(run: Bar): string {
  const interval = run.intervalStart === null ? 'no interval' : formatInstant(run.intervalStart);
  const took = run.durationMs === null ? '' : `, ${formatDuration(run.durationMs)}`;
  return `${interval}: ${lookOf(run.state).label}${took}\ncreated ${formatAbsolute(run.createdAt)}\n${run.id}`;
}

function describe(runs: readonly Bar[]): string {
  if (runs.length === 0) return 'No runs yet';
  const counts = new Map<string, number>();
  for (const run of runs) counts.set(lookOf(run.state).label, (counts.get(lookOf(run.state).label) ?? 0) + 1);
  return `Last ${runs.length} runs: ${[...counts].map(([label, count]) => `${count} ${label}`).join(', ')}`;
}
