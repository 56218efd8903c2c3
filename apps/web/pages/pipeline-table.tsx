import { Fragment } from 'react';
import { Link } from '@tanstack/react-router';
import { IconAlertTriangle, IconPlayerPause } from '@tabler/icons-react';
import type { PipelineSummary } from '#contracts';
import { Progress } from '../parts/progress.tsx';
import { ProblemList } from '../parts/problem-list.tsx';
import { Release } from '../parts/release.tsx';
import { RunBars } from '../parts/run-bars.tsx';
import { StateIcon } from '../parts/state-icon.tsx';
import { lookOf } from '../parts/state-look.ts';
import { Ago } from '../parts/time.tsx';
import { formatDuration } from '../parts/time-format.ts';
import table from '../parts/table.module.css';
import { PipelineActions } from '../trigger/pipeline-actions.tsx';
import styles from './pipelines.module.css';

interface PipelineTableProps {
  readonly pipelines: readonly PipelineSummary[];
  readonly tag: string | undefined;
  readonly onTag: (tag: string) => void;
}

export function PipelineTable({ pipelines, tag, onTag }: PipelineTableProps) {
  return (
    <div className={table.frame}>
      <table className={table.table} data-testid="pipelines">
        <thead>
          <tr>
            <th>Pipeline</th>
            <th>Last 30 runs</th>
            <th>Last run</th>
            <th>Schedule and next fire</th>
            <th>Release</th>
            <th>
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {pipelines.map((one) => (
            <Fragment key={one.name}>
              <PipelineRow one={one} tag={tag} onTag={onTag} />
              {one.problems.length > 0 && (
                <tr>
                  <td colSpan={6} style={{ height: 'auto', borderTop: 0 }}>
                    <div className={styles.problems}>
                      <ProblemList problems={one.problems} />
                    </div>
                  </td>
                </tr>
              )}
            </Fragment>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function PipelineRow({ one, tag, onTag }: { one: PipelineSummary } & Pick<PipelineTableProps, 'tag' | 'onTag'>) {
  const broken = one.problems.length > 0;
  return (
    <tr
      data-link
      data-testid={`pipeline-${one.name}`}
      style={broken ? { borderBottom: '1px solid transparent' } : undefined}
    >
      <td className={table.fill}>
        <div className={styles.name}>
          <span className={styles.nameRow}>
            <Link to="/pipelines/$pipeline/grid" params={{ pipeline: one.name }} className="link">
              {one.name}
            </Link>
            <span className={styles.tags}>
              {one.tags.map((name) => (
                <button
                  key={name}
                  type="button"
                  className={styles.tag}
                  aria-pressed={name === tag}
                  onClick={() => onTag(name)}
                >
                  {name}
                </button>
              ))}
            </span>
          </span>
          <span className="dim clip">{one.description || one.owner}</span>
        </div>
      </td>
      <td className={table.tight}>
        {broken ? <Broken count={one.problems.length} /> : <RunBars runs={one.lastRuns} />}
      </td>
      <td className={table.tight}>
        <LastRun one={one} />
      </td>
      <td className={table.tight}>
        <div className={styles.schedule}>
          <span className="clip" title={one.schedule}>
            {one.problems.length > 0 ? <span className="dim">–</span> : one.schedule}
          </span>
          <NextFire one={one} />
        </div>
      </td>
      <td className={table.tight}>
        <Release digest={one.release} />
      </td>
      <td className={table.tight}>
        <PipelineActions pipeline={one} compact />
      </td>
    </tr>
  );
}

function Broken({ count }: { count: number }) {
  return (
    <span className={styles.last} style={{ color: 'var(--s-failed-fg)', fontWeight: 550 }}>
      <IconAlertTriangle size={15} aria-hidden /> {count} {count === 1 ? 'problem' : 'problems'} in the file
    </span>
  );
}

function LastRun({ one }: { one: PipelineSummary }) {
  const last = one.lastRuns.findLast((run) => run.durationMs !== null) ?? one.lastRuns.at(-1);
  if (last === undefined) return <span className="dim">no runs yet</span>;
  return (
    <div className={table.two}>
      <span className={styles.last}>
        <StateIcon state={last.state} />
        <Link to="/runs/$run" params={{ run: last.id }} className="link">
          {lookOf(last.state).label}
        </Link>
        <span className="dim">
          <Ago at={last.createdAt} />
        </span>
      </span>
      <span className="dim num">
        {last.durationMs === null ? '' : formatDuration(last.durationMs)}
        {one.activeRuns > 0 && (
          <span style={{ color: 'var(--s-running-fg)' }}>
            {last.durationMs === null ? '' : ' · '}
            {one.activeRuns} active
          </span>
        )}
      </span>
    </div>
  );
}

function NextFire({ one }: { one: PipelineSummary }) {
  if (one.problems.length > 0) return null;
  if (one.paused)
    return (
      <span className={styles.last}>
        <IconPlayerPause size={14} aria-hidden /> paused
      </span>
    );
  if (one.catchUp != null)
    return (
      <div className={styles.catchUp}>
        <Progress done={one.catchUp.done} total={one.catchUp.total} label="catching up" bare />
      </div>
    );
  if (one.nextFireAt !== null)
    return (
      <span className="dim">
        next <Ago at={one.nextFireAt} />
      </span>
    );
  return one.schedule === 'manual' ? null : <span className="dim">no next fire</span>;
}
