import { Link } from '@tanstack/react-router';
import { Card } from '../parts/page.tsx';
import type { HourCell } from './health-strip.ts';
import styles from './today.module.css';

interface HealthCardProps {
  readonly strip: readonly { readonly pipeline: string; readonly hours: readonly HourCell[] }[];
}

/** The last 24 hours, one row per pipeline and one cell per hour. */
export function HealthCard({ strip }: HealthCardProps) {
  return (
    <Card
      title="Last 24 hours"
      id="health"
      beside={
        <>
          <Key kind="good">all good</Key>
          <Key kind="bad">some failed</Key>
          <Key kind="other">cancelled</Key>
          <Key kind="none">no runs</Key>
        </>
      }
    >
      <div className={styles.strip}>
        {strip.map(({ pipeline, hours }) => {
          const good = hours.reduce((sum, hour) => sum + hour.good, 0);
          const bad = hours.reduce((sum, hour) => sum + hour.bad, 0);
          return (
            <div key={pipeline} className={styles.stripRow}>
              <Link to="/pipelines/$pipeline/grid" params={{ pipeline }} className="link clip">
                {pipeline}
              </Link>
              <div
                className={styles.hours}
                role="img"
                aria-label={`${pipeline}: ${good} successful and ${bad} failed runs in 24 hours`}
              >
                {hours.map((hour) => (
                  <span key={hour.from} className={styles.hour} data-kind={kindOf(hour)} title={titleOf(hour)} />
                ))}
              </div>
              <span className={`${styles.stripSum} num`}>
                {good + bad === 0 ? 'no runs ended' : good > 0 && `${good} good`}
                {bad > 0 && (
                  <b>
                    {good > 0 && ' · '}
                    {bad} failed
                  </b>
                )}
              </span>
            </div>
          );
        })}
        <div className={styles.stripRow} aria-hidden>
          <span />
          <div className={styles.hours}>
            {strip[0]?.hours.map((hour, index) => (
              <span key={hour.from} className={styles.hourName}>
                {index % 6 === 0
                  ? `${String(new Date(hour.from).getHours()).padStart(2, '0')}:00`
                  : index === 23
                    ? 'now'
                    : ''}
              </span>
            ))}
          </div>
          <span />
        </div>
      </div>
    </Card>
  );
}

function Key({ kind, children }: { kind: string; children: string }) {
  return (
    <span className={styles.key}>
      <span className={styles.hour} data-kind={kind} aria-hidden /> {children}
    </span>
  );
}

function kindOf(hour: HourCell): string {
  if (!hour.known) return 'unknown';
  if (hour.bad > 0) return 'bad';
  if (hour.good > 0) return 'good';
  return hour.other > 0 ? 'other' : 'none';
}

function titleOf(hour: HourCell): string {
  const at = new Date(hour.from);
  const time = `${String(at.getHours()).padStart(2, '0')}:00`;
  if (!hour.known) return `${time}: not read, there were many runs since`;
  return `${time}: ${hour.good} good, ${hour.bad} failed${hour.other > 0 ? `, ${hour.other} cancelled` : ''}`;
}
