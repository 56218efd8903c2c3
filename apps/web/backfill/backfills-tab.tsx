import { lazy, Suspense, useState } from 'react';
import { Button } from '@mantine/core';
import { IconCalendarPlus, IconPlayerPause, IconPlayerPlay, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { BackfillShape } from '#contracts';
import { useEnv } from '../parts/environment.ts';
import { IconButton } from '../parts/icon-button.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { Progress } from '../parts/progress.tsx';
import table from '../parts/table.module.css';
import { Ago, IntervalText } from '../parts/time.tsx';
import { useMay } from '../promotion/use-may.ts';
import { BackfillIntervals } from './backfill-intervals.tsx';
import { backfillsQuery, useMoveBackfill } from './backfill-queries.ts';
import styles from './backfill.module.css';

const BackfillDialog = lazy(() => import('./backfill-dialog.tsx').then((file) => ({ default: file.BackfillDialog })));
const route = getRouteApi('/pipelines/$pipeline/backfills');

export function BackfillsTab() {
  const env = useEnv();
  const { pipeline } = route.useParams();
  const { sel } = route.useSearch();
  const [creating, setCreating] = useState(false);
  const may = useMay('operate', env);
  const query = useQuery(backfillsQuery(env, pipeline));
  return (
    <div className={styles.tab}>
      <div className={styles.bar}>
        <span className="dim">Runs for intervals of the past, as a plan that is worked off behind scheduled runs.</span>
        <Button
          leftSection={<IconCalendarPlus size={15} />}
          disabled={!may}
          onClick={() => setCreating(true)}
          data-testid="backfill"
        >
          Backfill
        </Button>
      </div>
      <Loaded query={query} height={300}>
        {({ items }) =>
          items.length === 0 ? <Notice title={`No backfills in ${env} yet`} /> : <BackfillTable backfills={items} />
        }
      </Loaded>
      {sel !== undefined && <BackfillIntervals env={env} pipeline={pipeline} id={sel} />}
      {creating && (
        <Suspense fallback={null}>
          <BackfillDialog pipeline={pipeline} onClose={() => setCreating(false)} />
        </Suspense>
      )}
    </div>
  );
}

function BackfillTable({ backfills }: { backfills: readonly BackfillShape[] }) {
  return (
    <div className={table.frame}>
      <table className={table.table} data-testid="backfills">
        <thead>
          <tr>
            <th>Backfill</th>
            <th>State</th>
            <th>Progress</th>
            <th className={table.right}>Failed</th>
            <th>Range</th>
            <th>Reprocess</th>
            <th>By</th>
            <th>Created</th>
            <th className={table.fill}>Reason</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {backfills.map((one) => (
            <BackfillRow key={one.id} backfill={one} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function BackfillRow({ backfill }: { backfill: BackfillShape }) {
  const { id, state, runs, pending } = backfill;
  const navigate = route.useNavigate();
  const made = Object.values(runs).reduce((sum, count) => sum + count, 0);
  const ended = made - (runs['queued'] ?? 0) - (runs['running'] ?? 0);
  return (
    <tr data-link data-testid={`backfill-${id}`}>
      <td className={table.tight}>
        <button
          type="button"
          className={`mono link ${styles.open}`}
          onClick={() => void navigate({ search: (old) => ({ ...old, sel: old.sel === id ? undefined : id }) })}
        >
          {id}
        </button>
      </td>
      <td className={table.tight}>{state}</td>
      <td className={styles.progress}>
        <Progress done={ended} total={made + pending} label={`Runs of backfill ${id} that have ended`} bare />
      </td>
      <td className={`${table.tight} ${table.right} num`}>{(runs['failed'] ?? 0) + (runs['timed_out'] ?? 0)}</td>
      <td className={table.tight}>
        <IntervalText interval={{ start: backfill.rangeStart, end: backfill.rangeEnd }} />
      </td>
      <td className={table.tight}>{backfill.reprocess}</td>
      <td className={table.tight}>{backfill.actor}</td>
      <td className={table.tight}>
        <Ago at={backfill.createdAt} />
      </td>
      <td className={table.fill}>
        <span className="dim clip" title={backfill.reason ?? undefined}>
          {backfill.reason}
        </span>
      </td>
      <td className={table.tight}>
        <BackfillActions backfill={backfill} />
      </td>
    </tr>
  );
}

function BackfillActions({ backfill: { id, environment, state } }: { backfill: BackfillShape }) {
  const may = useMay('operate', environment);
  const move = useMoveBackfill();
  if (!may || state === 'done' || state === 'cancelled') return null;
  const verb = state === 'paused' ? 'resume' : 'pause';
  const Icon = state === 'paused' ? IconPlayerPlay : IconPlayerPause;
  return (
    <span className={styles.actions}>
      <IconButton
        name={`${verb === 'pause' ? 'Pause' : 'Resume'} backfill ${id}`}
        loading={move.isPending}
        onClick={() => move.mutate({ id, verb })}
        testId={`${verb}-${id}`}
      >
        <Icon size={16} stroke={1.7} />
      </IconButton>
      <IconButton
        name={`Cancel backfill ${id} and its runs`}
        loading={move.isPending}
        onClick={() => move.mutate({ id, verb: 'cancel' })}
        testId={`cancel-${id}`}
      >
        <IconX size={16} stroke={1.7} />
      </IconButton>
    </span>
  );
}
