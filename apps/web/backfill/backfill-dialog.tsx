import { useState, type FormEvent } from 'react';
import { Button, Modal, NativeSelect, Switch, TextInput } from '@mantine/core';
import { IconCalendarPlus } from '@tabler/icons-react';
import { REPROCESS, type Reprocess } from '#core';
import type { BackfillPlan } from '#contracts';
import type { BackfillRequest } from '#contracts/client';
import { useEnv } from '../parts/environment.ts';
import { Failure } from '../parts/notice.tsx';
import table from '../parts/table.module.css';
import { IntervalText } from '../parts/time.tsx';
import { useBackfill } from './backfill-queries.ts';
import styles from './backfill.module.css';

const WHICH: Readonly<Record<Reprocess, string>> = {
  missing: 'missing: without a run',
  failed: 'failed: those, and whose last run did not succeed',
  stale: 'stale: those, and made by another release or from other inputs',
  all: 'all of them',
};
/** Rows shown at first: a plan may have ten thousand. */
const SHOWN = 200;

/** A backfill: its plan is shown before it is created, and what is created is what was shown. */
export function BackfillDialog({ pipeline, onClose }: { pipeline: string; onClose: () => void }) {
  const environment = useEnv();
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [reprocess, setReprocess] = useState<Reprocess>('missing');
  const [maxActive, setMaxActive] = useState('');
  const [newestFirst, setNewestFirst] = useState(false);
  const [plan, setPlan] = useState<BackfillPlan | null>(null);
  const backfill = useBackfill();
  const request: BackfillRequest = {
    ...{ environment, pipeline, from, to, reprocess, order: newestFirst ? 'newest_first' : 'oldest_first' },
    ...(maxActive === '' ? {} : { maxActive: Number(maxActive) }),
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (plan === null) backfill.mutate({ ...request, dryRun: true }, { onSuccess: setPlan });
    else backfill.mutate(request, { onSuccess: onClose });
  };
  // What was shown holds only for what was asked.
  const changing =
    <T,>(set: (value: T) => void) =>
    (value: T) => {
      setPlan(null);
      set(value);
    };
  const runs = plan?.intervals.filter((one) => one.action === 'create').length ?? 0;
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Backfill ${pipeline} in ${environment}`}
      size={720}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={submit} className={styles.form} noValidate data-testid="backfill-form">
        <div className={styles.pair}>
          <TextInput
            label="From"
            placeholder="2026-01-01"
            value={from}
            onChange={(event) => changing(setFrom)(event.currentTarget.value)}
            data-autofocus
            data-testid="backfill-from"
          />
          <TextInput
            label="To"
            placeholder="2026-02-01"
            value={to}
            onChange={(event) => changing(setTo)(event.currentTarget.value)}
            data-testid="backfill-to"
          />
        </div>
        <NativeSelect
          label="Which intervals get a run"
          data={REPROCESS.map((value) => ({ value, label: WHICH[value] }))}
          value={reprocess}
          onChange={(event) => changing(setReprocess)(event.currentTarget.value as Reprocess)}
        />
        <TextInput
          label="Runs at once"
          description="Empty: the pipeline's max_active_runs, which holds for all of its runs together."
          inputMode="numeric"
          value={maxActive}
          onChange={(event) => changing(setMaxActive)(event.currentTarget.value.replace(/\D/g, ''))}
        />
        <Switch
          label="Newest interval first"
          checked={newestFirst}
          onChange={(event) => changing(setNewestFirst)(event.currentTarget.checked)}
        />
        {backfill.error !== null && <Failure error={backfill.error} inline />}
        {plan !== null && <PlanTable plan={plan} runs={runs} />}
        <div className={styles.foot}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            type="submit"
            leftSection={<IconCalendarPlus size={15} />}
            loading={backfill.isPending}
            disabled={from === '' || to === '' || (plan !== null && runs === 0)}
            data-testid="backfill-submit"
          >
            {plan === null ? 'Show the plan' : `Create ${runs === 1 ? '1 run' : `${runs} runs`}`}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function PlanTable({ plan: { intervals, nothing }, runs }: { plan: BackfillPlan; runs: number }) {
  if (nothing !== undefined) return <p className="dim">Nothing to do. {nothing}</p>;
  return (
    <div className={styles.plan}>
      <p className="dim">
        {runs} of {intervals.length} intervals get a run.
        {intervals.length > SHOWN && ` The first ${SHOWN}:`}
      </p>
      <table className={table.table} data-dense data-testid="backfill-plan">
        <thead>
          <tr>
            <th>Interval</th>
            <th>Run</th>
            <th className={table.fill}>Why</th>
          </tr>
        </thead>
        <tbody>
          {intervals.slice(0, SHOWN).map((one) => (
            <tr key={one.interval.start}>
              <td className={table.tight}>
                <IntervalText interval={one.interval} />
              </td>
              <td className={table.tight}>{one.action === 'create' ? 'yes' : <span className="dim">no</span>}</td>
              <td className={table.fill}>{one.reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
