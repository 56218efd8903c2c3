import { useMemo, useRef, useState } from 'react';
import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { Switch } from '@mantine/core';
import type { RunDetail, TaskRun } from '#contracts';
import { useNow } from '../parts/clock.ts';
import { Progress } from '../parts/progress.tsx';
import { StateIcon } from '../parts/state-icon.tsx';
import { isOver, lookOf, shownState } from '../parts/state-look.ts';
import { formatDuration } from '../parts/time-format.ts';
import { criticalPath, ganttSegments, ganttSpan, ganttTicks, type Segment } from './gantt-segments.ts';
import styles from './timeline.module.css';

const ROW = 30;
const KINDS: Readonly<Record<Segment['kind'], string>> = {
  ready: 'waits for a slot',
  queued: 'queued',
  run: 'runs',
  retry: 'waits for the next try',
};

/** When each task run wanted a slot, was queued, ran and was tried again. */
export function Timeline({ run }: { run: RunDetail }) {
  const [critical, setCritical] = useState(false);
  const over = isOver(run.state);
  const ticking = useNow(over ? 'still' : 'second');
  const now = over ? Date.parse(run.finishedAt ?? run.createdAt) : ticking;
  const rows = useMemo(
    () => run.taskRuns.map((one) => ({ one, segments: one.originRun === null ? ganttSegments(one, now) : [] })),
    [run.taskRuns, now],
  );
  const span = ganttSpan(
    rows.map((row) => row.segments),
    run,
    now,
  );
  const length = span.to - span.from;
  const path = useMemo(() => criticalPath(run.tasks, run.taskRuns), [run.tasks, run.taskRuns]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  return (
    <section className={styles.card} data-testid="timeline" aria-label="Timeline">
      <div className={styles.head}>
        <span className={styles.legend}>
          <span data-kind="ready">wants a slot</span>
          <span data-kind="queued">queued</span>
          <span data-kind="run">runs</span>
          <span data-kind="retry">between tries</span>
        </span>
        <Switch
          size="xs"
          label="Critical path"
          checked={critical}
          onChange={(event) => setCritical(event.currentTarget.checked)}
        />
      </div>
      <div className={styles.axis} aria-hidden>
        <span />
        <div className={styles.scale}>
          {ganttTicks(length, 8).map((tick) => (
            <span key={tick} style={{ left: `${(tick / length) * 100}%` }}>
              {tick === 0 ? '0' : `+${formatDuration(tick)}`}
            </span>
          ))}
        </div>
      </div>
      <div
        ref={scroller}
        className={styles.scroller}
        style={{ maxHeight: Math.max(300, window.innerHeight - 380) }}
        tabIndex={0}
        role="list"
        aria-label="Task runs"
      >
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <Row
                key={item.key}
                runId={run.id}
                one={row.one}
                segments={row.segments}
                span={span}
                top={item.start}
                faded={critical && !path.has(row.one.taskId)}
              />
            );
          })}
        </div>
      </div>
    </section>
  );
}

interface RowProps {
  readonly runId: string;
  readonly one: TaskRun;
  readonly segments: readonly Segment[];
  readonly span: { readonly from: number; readonly to: number };
  readonly top: number;
  readonly faded: boolean;
}

function Row({ runId, one, segments, span, top, faded }: RowProps) {
  const length = span.to - span.from;
  const last = segments.at(-1);
  const ran = segments.filter((segment) => segment.kind === 'run').at(-1);
  const endsAt = last === undefined ? 0 : ((last.to - span.from) / length) * 100;
  return (
    <div
      className={styles.row}
      role="listitem"
      style={{ top, height: ROW }}
      data-faded={faded || undefined}
      data-testid="timeline-row"
    >
      <Link
        to="/runs/$run/tasks/$task"
        params={{ run: runId, task: one.taskId }}
        search={one.mapKey === '' ? {} : { map: one.mapIndex }}
        className={styles.label}
        title={`${one.taskId} ${one.mapKey}\n${lookOf(shownState(one)).label}${one.reason === null ? '' : `: ${one.reason}`}`}
      >
        <StateIcon state={shownState(one)} title={lookOf(shownState(one)).label} />
        <span className="clip mono">
          {one.taskId}
          {one.mapKey !== '' && <span className={styles.key}> {one.mapKey}</span>}
        </span>
        {one.tries > 1 && <span className={styles.tries}>try {one.tries}</span>}
      </Link>
      <div className={styles.track}>
        {segments.map((segment, index) => (
          <span
            key={index}
            className={styles.segment}
            data-kind={segment.kind}
            title={`try ${segment.number || 1}: ${KINDS[segment.kind]} ${formatDuration(segment.to - segment.from)}`}
            style={{
              left: `${((segment.from - span.from) / length) * 100}%`,
              width: `max(2px, ${((segment.to - segment.from) / length) * 100}%)`,
              ...(segment.kind === 'run' ? { background: `var(--s-${lookOf(segment.state).tone})` } : {}),
            }}
            data-state={segment.state}
          />
        ))}
        <span
          className={styles.took}
          style={
            endsAt > 82
              ? { right: `${100 - (((segments[0]?.from ?? span.from) - span.from) / length) * 100}%`, marginRight: 8 }
              : { left: `${endsAt}%`, marginLeft: 8 }
          }
        >
          {one.state === 'running' && one.progress !== null ? (
            <Progress {...one.progress} />
          ) : one.originRun !== null ? (
            <>
              taken over from <span className="mono">{one.originRun}</span>
            </>
          ) : ran !== undefined ? (
            formatDuration(ran.to - ran.from)
          ) : (
            ''
          )}
        </span>
      </div>
    </div>
  );
}
