import type { TaskRunDetail } from '#contracts';
import { StateBadge, StateIcon } from '../parts/state-icon.tsx';
import { lookOf } from '../parts/state-look.ts';
import table from '../parts/table.module.css';
import { Ago, Took } from '../parts/time.tsx';
import styles from './task.module.css';

type Attempt = TaskRunDetail['attempts'][number];

interface AttemptSwitchProps {
  readonly attempts: readonly Attempt[];
  readonly current: number | undefined;
  readonly onChoose: (number: number) => void;
}

export function AttemptSwitch({ attempts, current, onChoose }: AttemptSwitchProps) {
  if (attempts.length < 2) return null;
  return (
    <div className={styles.switch} role="group" aria-label="Tries" data-testid="tries">
      {attempts.map((one) => (
        <button
          key={one.id}
          type="button"
          aria-pressed={one.number === current}
          onClick={() => onChoose(one.number)}
          title={`${lookOf(one.state).label}${one.message === null ? '' : `: ${one.message}`}`}
        >
          <StateIcon state={one.state} size={14} />
          Try {one.number}
          <span className="sr-only"> {lookOf(one.state).label}</span>
        </button>
      ))}
    </div>
  );
}

export function AttemptTable({ attempts }: { attempts: readonly Attempt[] }) {
  return (
    <div className={table.frame}>
      <table className={table.table} data-testid="attempts">
        <thead>
          <tr>
            <th className={table.right}>Try</th>
            <th>State</th>
            <th>Queued</th>
            <th className={table.right}>Waited</th>
            <th className={table.right}>Took</th>
            <th className={table.right}>Exit</th>
            <th className={table.right}>Fence</th>
            <th>Worker</th>
            <th className={table.right}>Log lines</th>
            <th>Message</th>
          </tr>
        </thead>
        <tbody>
          {attempts.map((one) => (
            <tr key={one.id}>
              <td className={`${table.tight} ${table.right} num`}>{one.number}</td>
              <td className={table.tight}>
                <StateBadge state={one.state} />
              </td>
              <td className={table.tight}>
                <Ago at={one.queuedAt} />
              </td>
              <td className={`${table.tight} ${table.right}`}>
                <Took from={one.queuedAt} to={one.startedAt ?? one.finishedAt} />
              </td>
              <td className={`${table.tight} ${table.right}`}>
                <Took from={one.startedAt} to={one.finishedAt} />
              </td>
              <td className={`${table.tight} ${table.right} num`}>{one.exitCode ?? <span className="dim">–</span>}</td>
              <td className={`${table.tight} ${table.right} num dim`}>{one.fence}</td>
              <td className={`${table.tight} dim`}>
                <Worker name={one.worker} />
              </td>
              <td className={`${table.tight} ${table.right} num`}>
                {one.logLines?.toLocaleString('en') ?? <span className="dim">–</span>}
              </td>
              <td>{one.message}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Workers carry long ids; the whole name shows on hover. */
export function Worker({ name }: { name: string | null }) {
  if (name === null) return <span className="dim">–</span>;
  return (
    <span className="mono" title={name}>
      {name.length > 20 ? `${name.slice(0, 19)}…` : name}
    </span>
  );
}
