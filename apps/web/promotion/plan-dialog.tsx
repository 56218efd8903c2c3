import { useState, type FormEvent } from 'react';
import { Button, Modal, NativeSelect, TextInput } from '@mantine/core';
import { IconArrowBackUp, IconArrowRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { PromotionPlan } from '#contracts';
import { Loaded } from '../parts/loaded.tsx';
import { Failure } from '../parts/notice.tsx';
import { usePromote } from './actions.ts';
import { PlanView } from './plan-view.tsx';
import { boardQuery, planQuery, type PlanOf } from './promotion-queries.ts';
import { ReleaseName } from './release-name.tsx';
import { useMay } from './use-may.ts';
import styles from './promotion.module.css';

interface PlanDialogProps {
  readonly of: PlanOf;
  readonly onChange: (change: Partial<Pick<PlanOf, 'environment' | 'kind'>>) => void;
  readonly onClose: () => void;
}

/** First what would change, then the button that asks for it. */
export function PlanDialog({ of, onChange, onClose }: PlanDialogProps) {
  const query = useQuery(planQuery(of));
  const verb = of.kind === 'rollback' ? 'Roll back' : 'Promote';
  return (
    <Modal
      opened
      onClose={onClose}
      title={of.kind === 'rollback' ? `Roll back ${of.environment}` : `Promote to ${of.environment}`}
      size={860}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <div className={styles.form}>
        <Target of={of} plan={query.data} onChange={onChange} />
        <Loaded query={query} height={280}>
          {(plan) => (
            <>
              <PlanView plan={plan} />
              <Ask of={of} plan={plan} verb={verb} onClose={onClose} />
            </>
          )}
        </Loaded>
      </div>
    </Modal>
  );
}

function Target({
  of,
  plan,
  onChange,
}: Pick<PlanDialogProps, 'of' | 'onChange'> & { plan: PromotionPlan | undefined }) {
  const stands = useQuery(boardQuery).data?.items ?? [];
  const mayHotfix = useMay('override', of.environment);
  return (
    <div className={styles.target}>
      <div className={styles.targetSide}>
        <span className={styles.targetLabel}>{of.environment} runs now</span>
        {plan?.current == null ? (
          <span className="dim">nothing yet</span>
        ) : (
          <ReleaseName release={plan.current} strong />
        )}
      </div>
      <IconArrowRight size={18} aria-hidden className={styles.targetArrow} />
      <div className={styles.targetSide}>
        <span className={styles.targetLabel}>{of.kind === 'rollback' ? 'Returns to' : 'Then'}</span>
        {plan?.release == null ? <b>{of.release.slice(0, 12)}</b> : <ReleaseName release={plan.release} strong />}
      </div>
      {of.kind !== 'rollback' && (
        <div className={styles.targetChoice}>
          <NativeSelect
            size="xs"
            label="To"
            data={stands.map(({ environment }) => environment)}
            value={of.environment}
            onChange={(event) => onChange({ environment: event.currentTarget.value })}
            data-testid="plan-to"
          />
          <NativeSelect
            size="xs"
            label="As"
            data={[
              { value: 'promote', label: 'promotion' },
              { value: 'hotfix', label: 'hotfix', disabled: !mayHotfix },
            ]}
            value={of.kind}
            onChange={(event) => onChange({ kind: event.currentTarget.value === 'hotfix' ? 'hotfix' : 'promote' })}
          />
        </div>
      )}
    </div>
  );
}

interface AskProps {
  readonly of: PlanOf;
  readonly plan: PromotionPlan;
  readonly verb: string;
  readonly onClose: () => void;
}

function Ask({ of, plan, verb, onClose }: AskProps) {
  const [reason, setReason] = useState('');
  const [inFlight, setInFlight] = useState<'finish' | 'cancel'>('finish');
  const may = useMay('promote', of.environment);
  const promote = usePromote();
  const needsReason = of.kind === 'hotfix' && reason.trim() === '';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const common = { environment: of.environment, reason: reason.trim() || null, inFlight };
    promote.mutate(
      of.kind === 'rollback'
        ? { kind: 'rollback', ...common, to: of.release }
        : { kind: of.kind, ...common, release: of.release, planHash: plan.planHash },
    );
  };
  return (
    <form onSubmit={submit} className={styles.ask}>
      {promote.error !== null && <Failure error={promote.error} inline />}
      <div className={styles.askRow}>
        <TextInput
          size="xs"
          label="Reason"
          placeholder={of.kind === 'hotfix' ? 'Why it cannot wait' : 'Optional; shown for ever'}
          required={of.kind === 'hotfix'}
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          className={styles.grow ?? ''}
          data-testid="plan-reason"
        />
        <NativeSelect
          size="xs"
          label="Runs on other releases"
          data={[
            { value: 'finish', label: 'finish' },
            { value: 'cancel', label: 'are cancelled' },
          ]}
          value={inFlight}
          onChange={(event) => setInFlight(event.currentTarget.value === 'cancel' ? 'cancel' : 'finish')}
        />
      </div>
      <div className={styles.foot}>
        {!may && <span className="dim">You have no right to promote to {of.environment}.</span>}
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        <Button
          type="submit"
          leftSection={of.kind === 'rollback' ? <IconArrowBackUp size={15} /> : <IconArrowRight size={15} />}
          loading={promote.isPending}
          disabled={!may || needsReason}
          data-testid="plan-submit"
        >
          {verb}
          {of.kind !== 'rollback' && ` to ${of.environment}`}
        </Button>
      </div>
    </form>
  );
}
