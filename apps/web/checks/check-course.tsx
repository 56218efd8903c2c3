import type { CheckSeries } from '#contracts';
import styles from './checks.module.css';

/** A shape for each state, the same as on the command line: colour only repeats it. */
export const SHAPES = { passed: '·', warned: '▲', quarantined: '◆', failed: '✗' } as const;

const STEP = 9;
const BARS = 34;
const HEIGHT = 52;

/** One column per run, oldest first: the state as a shape, above it a bar for the share of bad rows. */
export function CheckCourse({ series: { name, points } }: { series: CheckSeries }) {
  const counts = Object.keys(SHAPES)
    .map((state) => [state, points.filter((point) => point.state === state).length] as const)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`);
  const most = Math.max(0, ...points.map(shareOf));
  return (
    <div
      className={styles.course}
      tabIndex={0}
      role="img"
      aria-label={`${name} over ${points.length} runs: ${counts.join(', ')}`}
    >
      <svg width={points.length * STEP} height={HEIGHT} aria-hidden>
        {points.map((point, index) => {
          const bar = most === 0 ? 0 : Math.sqrt(shareOf(point) / most) * BARS;
          return (
            <g key={point.runId} transform={`translate(${index * STEP} 0)`} data-state={point.state}>
              <title>{`${point.intervalStart ?? `run ${point.runId}`}: ${point.state}, ${point.detail}`}</title>
              <rect x={1} y={0} width={STEP - 2} height={HEIGHT} fill="transparent" />
              <rect x={1} y={BARS - bar} width={STEP - 2} height={bar} className={styles.bar} />
              <text x={STEP / 2} y={HEIGHT - 6} textAnchor="middle" className={styles.mark}>
                {SHAPES[point.state]}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

function shareOf({ rows, bad }: CheckSeries['points'][number]): number {
  return bad === null || rows === null || rows === 0 ? 0 : bad / rows;
}
