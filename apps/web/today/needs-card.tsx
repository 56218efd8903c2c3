import { Link } from '@tanstack/react-router';
import { Button } from '@mantine/core';
import {
  IconCircleCheck,
  IconClockExclamation,
  IconFileAlert,
  IconHandStop,
  IconRotateClockwise,
} from '@tabler/icons-react';
import type { PromotionDetail, Run } from '#contracts';
import { useRerun } from '../actions.ts';
import { Card, PipelineLink } from '../parts/page.tsx';
import { RunLink } from '../parts/run-title.tsx';
import { StateIcon } from '../parts/state-icon.tsx';
import { lookOf } from '../parts/state-look.ts';
import { Ago } from '../parts/time.tsx';
import { formatDuration } from '../parts/time-format.ts';
import { kindTitle } from '../promotion/promotion-look.ts';
import type { Need } from './needs-me.ts';
import styles from './today.module.css';

const SHOWN = 6;

interface NeedsCardProps {
  readonly needs: readonly Need[];
  /** Promotions, in any environment, that wait for the reader. */
  readonly approvals: readonly PromotionDetail[];
}

export function NeedsCard({ needs, approvals }: NeedsCardProps) {
  const failed = needs.filter((need) => need.kind === 'failed').length;
  return (
    <Card
      title="Needs attention"
      id="needs-me"
      beside={needs.length + approvals.length > 0 && <span className="num">{needs.length + approvals.length}</span>}
    >
      {needs.length + approvals.length === 0 && (
        <p className={styles.calm}>
          <IconCircleCheck size={18} stroke={1.6} aria-hidden /> Nothing failed, nothing is late.
        </p>
      )}
      <ul>
        {approvals.map((promotion) => (
          <li key={promotion.id} className={styles.need} data-testid="need-approval">
            <ApprovalRow promotion={promotion} />
          </li>
        ))}
        {needs.slice(0, SHOWN).map((need) => (
          <li
            key={need.kind === 'broken' ? need.pipeline.name : need.run.id}
            className={styles.need}
            data-testid="need"
          >
            <NeedRow need={need} />
          </li>
        ))}
      </ul>
      {needs.length > SHOWN && (
        <p className={styles.rest}>
          <Link to="/runs" search={{ state: 'failed,timed_out' }} className="link">
            All {failed} failed runs
          </Link>
        </p>
      )}
    </Card>
  );
}

function ApprovalRow({ promotion }: { promotion: PromotionDetail }) {
  const { id, environment, release, actor, kind, stateAt } = promotion;
  return (
    <>
      <IconHandStop size={17} stroke={1.7} aria-hidden style={{ color: 'var(--s-retrying-fg)' }} />
      <div className={styles.needText}>
        <span>
          <Link to="/promotions/$promotion" params={{ promotion: id }} className="link">
            <b>
              {kindTitle(kind)} {id}
            </b>
          </Link>{' '}
          of {release.alias} to {environment} waits for your approval{' '}
          <span className="dim">
            · <Ago at={stateAt} />
          </span>
        </span>
        <span className="dim clip">
          {release.message ?? 'No message'}, asked for by {actor}
        </span>
      </div>
      <Button
        size="compact-xs"
        renderRoot={(props: Record<string, unknown>) => (
          <Link to="/promotions/$promotion" params={{ promotion: id }} {...props} />
        )}
        aria-label={`Review ${kindTitle(kind).toLowerCase()} ${id}`}
      >
        Review
      </Button>
    </>
  );
}

function NeedRow({ need }: { need: Need }) {
  if (need.kind === 'broken') {
    const first = need.pipeline.problems[0];
    return (
      <>
        <IconFileAlert size={17} stroke={1.7} aria-hidden style={{ color: 'var(--s-failed-fg)' }} />
        <div className={styles.needText}>
          <span>
            <Link to="/pipelines/$pipeline/source" params={{ pipeline: need.pipeline.name }} className="link">
              <b>{need.pipeline.name}</b>
            </Link>{' '}
            does not load: {need.pipeline.problems.length}{' '}
            {need.pipeline.problems.length === 1 ? 'problem' : 'problems'}
          </span>
          {first !== undefined && (
            <span className="dim clip">
              <span className="mono">
                {first.file}:{first.line}:{first.column}
              </span>{' '}
              {first.message}
            </span>
          )}
        </div>
      </>
    );
  }
  const { run } = need;
  return (
    <>
      {need.kind === 'late' ? (
        <IconClockExclamation size={17} stroke={1.7} aria-hidden style={{ color: 'var(--s-retrying-fg)' }} />
      ) : (
        <StateIcon state={run.state} size={17} />
      )}
      <div className={styles.needText}>
        <span>
          <b>
            <PipelineLink name={run.pipeline} />
          </b>{' '}
          <RunLink run={run} />{' '}
          {need.kind === 'late' ? `is ${formatDuration(need.lateMs)} late` : lookOf(run.state).label}{' '}
          <span className="dim">
            · <Ago at={run.finishedAt ?? run.createdAt} />
          </span>
        </span>
        {run.reason !== null && (
          <span className="dim clip" title={run.reason}>
            {run.reason}
          </span>
        )}
      </div>
      {need.kind === 'failed' && <RerunButton run={run} />}
    </>
  );
}

function RerunButton({ run }: { run: Run }) {
  const rerun = useRerun(run.id);
  return (
    <Button
      variant="default"
      size="compact-xs"
      leftSection={<IconRotateClockwise size={13} />}
      loading={rerun.isPending}
      onClick={() => rerun.mutate({ mode: 'failed' })}
      aria-label={`Rerun failed tasks of ${run.pipeline} ${run.id}`}
    >
      Rerun
    </Button>
  );
}
