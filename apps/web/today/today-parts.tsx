import type { ReactNode } from 'react';
import { Link } from '@tanstack/react-router';
import type { PipelineSummary, Run } from '#contracts';
import { Card, PipelineLink } from '../parts/page.tsx';
import { Progress } from '../parts/progress.tsx';
import { runName } from '../parts/run-title.tsx';
import { StateIcon } from '../parts/state-icon.tsx';
import { lookOf } from '../parts/state-look.ts';
import { TaskCounts } from '../parts/task-counts.tsx';
import { Ago, Took } from '../parts/time.tsx';
import styles from './today.module.css';

export function Tile({ label, children, tone }: { label: string; children: ReactNode; tone?: 'bad' | undefined }) {
  return (
    <div className={styles.tile} data-tone={tone}>
      <span className={styles.tileValue}>{children}</span>
      <span className={styles.tileLabel}>{label}</span>
    </div>
  );
}

export function ActiveCard({ runs }: { runs: readonly Run[] }) {
  return (
    <Card
      title="Running now"
      id="active"
      beside={
        <Link to="/runs" search={{ state: 'running,queued' }} className="link">
          All active runs
        </Link>
      }
    >
      {runs.length === 0 && <p className={styles.calm}>Nothing runs at the moment.</p>}
      <ul>
        {runs.slice(0, 6).map((run) => (
          <li key={run.id} className={styles.active} data-testid="active-run">
            <StateIcon state={run.state} size={16} title={lookOf(run.state).label} />
            <Link to="/runs/$run" params={{ run: run.id }} className={`${styles.activeName} link`}>
              <b className="clip">{run.pipeline}</b>
              <span className="dim num">{runName(run)}</span>
            </Link>
            <TaskCounts counts={run.counts} whole={run.finishedAt !== null} />
            <span className={`${styles.activeTook} dim`}>
              <Took from={run.startedAt} to={null} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function NextCard({ pipelines }: { pipelines: readonly PipelineSummary[] }) {
  const next = pipelines
    .filter((one) => one.nextFireAt !== null && !one.paused && one.catchUp == null)
    .sort((a, b) => ((a.nextFireAt ?? '') < (b.nextFireAt ?? '') ? -1 : 1));
  const behind = pipelines.filter((one) => one.catchUp != null && !one.paused);
  const paused = pipelines.filter((one) => one.paused).length;
  return (
    <Card title="Next fires" id="next-fires" beside={paused > 0 ? `${paused} paused` : undefined}>
      {next.length + behind.length === 0 && (
        <p className={styles.calm}>
          {paused > 0 ? 'All schedules here are paused.' : 'No schedule has a next fire; runs start by hand.'}
        </p>
      )}
      <ul>
        {behind.map((one) => (
          <li key={one.name} className={styles.next}>
            <PipelineLink name={one.name} />
            {one.catchUp != null && (
              <span style={{ width: 150 }}>
                <Progress {...one.catchUp} label="catching up" />
              </span>
            )}
          </li>
        ))}
        {next.slice(0, 10).map((one) => (
          <li key={one.name} className={styles.next}>
            <span className="clip">
              <PipelineLink name={one.name} /> <span className="dim">{one.schedule}</span>
            </span>
            <Ago at={one.nextFireAt} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function NewestCard({ runs }: { runs: readonly Run[] }) {
  return (
    <Card
      title="Newest results"
      id="newest"
      beside={
        <Link to="/runs" className="link">
          All runs
        </Link>
      }
    >
      {runs.length === 0 && <p className={styles.calm}>No run has ended yet.</p>}
      <ul>
        {runs.slice(0, 7).map((run) => (
          <li key={run.id} className={styles.result}>
            <StateIcon state={run.state} size={15} title={lookOf(run.state).label} />
            <Link to="/runs/$run" params={{ run: run.id }} className="link clip">
              {run.pipeline} <span className="dim num">{runName(run)}</span>
            </Link>
            <span className="dim">
              <Ago at={run.finishedAt} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
