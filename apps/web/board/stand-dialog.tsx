import { useState, type FormEvent } from 'react';
import { Button, Modal, SegmentedControl, Textarea, TextInput } from '@mantine/core';
import type { PromotionStand } from '#contracts';
import { Failure } from '../parts/notice.tsx';
import { useAddFreeze, useSetHold } from '../promotion/actions.ts';
import styles from '../promotion/promotion.module.css';

export type StandAct = { readonly kind: 'hold'; readonly release: string } | { readonly kind: 'freeze' };

interface StandDialogProps {
  readonly act: StandAct;
  readonly stand: PromotionStand;
  readonly onClose: () => void;
}

export function StandDialog({ act, stand: { environment }, onClose }: StandDialogProps) {
  return (
    <Modal
      opened
      onClose={onClose}
      title={act.kind === 'hold' ? `Hold a release in ${environment}` : `Freeze ${environment}`}
      size={480}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {act.kind === 'hold' ? (
        <HoldForm environment={environment} release={act.release} onClose={onClose} />
      ) : (
        <FreezeForm environment={environment} onClose={onClose} />
      )}
    </Modal>
  );
}

interface FormProps {
  readonly environment: string;
  readonly onClose: () => void;
}

function HoldForm({ environment, release: first, onClose }: FormProps & { readonly release: string }) {
  const [release, setRelease] = useState(first);
  const [reason, setReason] = useState('');
  const hold = useSetHold(environment);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    hold.mutate({ release: release.trim(), reason: reason.trim() }, { onSuccess: onClose });
  };
  return (
    <form onSubmit={submit} className={styles.form} data-testid="hold-form">
      <p className="dim">It is not promoted to {environment} again until the hold is lifted. What runs now goes on.</p>
      <TextInput
        label="Release"
        description="Alias, or at least six digits of its digest."
        required
        value={release}
        onChange={(event) => setRelease(event.currentTarget.value)}
        classNames={{ input: 'mono' }}
      />
      <Reason value={reason} onChange={setReason} />
      {hold.error !== null && <Failure error={hold.error} inline />}
      <Foot
        action="Hold"
        pending={hold.isPending}
        disabled={reason.trim() === '' || release.trim() === ''}
        onClose={onClose}
      />
    </form>
  );
}

const HOUR = 3_600_000;
const LENGTHS = [
  { value: String(4 * HOUR), label: '4 hours' },
  { value: String(24 * HOUR), label: '1 day' },
  { value: String(72 * HOUR), label: '3 days' },
  { value: String(168 * HOUR), label: '1 week' },
  { value: 'until', label: 'Until …' },
];

function FreezeForm({ environment, onClose }: FormProps) {
  const [length, setLength] = useState(LENGTHS[1]?.value ?? '');
  const [until, setUntil] = useState('');
  const [reason, setReason] = useState('');
  const freeze = useAddFreeze(environment);
  const endsAt = length === 'until' ? new Date(until) : new Date(Date.now() + Number(length));
  const known = !Number.isNaN(endsAt.getTime());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (known) freeze.mutate({ endsAt: endsAt.toISOString(), reason: reason.trim() }, { onSuccess: onClose });
  };
  return (
    <form onSubmit={submit} className={styles.form} data-testid="freeze-form">
      <p className="dim">
        From now on nothing is switched in {environment}, rollbacks apart. Promotions wait for its end.
      </p>
      <SegmentedControl size="xs" fullWidth data={LENGTHS} value={length} onChange={setLength} aria-label="How long" />
      {length === 'until' && (
        <TextInput
          type="datetime-local"
          label="Until"
          description="In your own time zone."
          required
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
      )}
      <Reason value={reason} onChange={setReason} />
      {freeze.error !== null && <Failure error={freeze.error} inline />}
      <Foot action="Freeze" pending={freeze.isPending} disabled={reason.trim() === '' || !known} onClose={onClose} />
    </form>
  );
}

function Reason({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <Textarea
      label="Reason"
      description="Shown on the board and in the audit trail."
      required
      data-autofocus
      rows={2}
      maxLength={2000}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      data-testid="reason-text"
    />
  );
}

interface FootProps {
  readonly action: string;
  readonly pending: boolean;
  readonly disabled: boolean;
  readonly onClose: () => void;
}

function Foot({ action, pending, disabled, onClose }: FootProps) {
  return (
    <div className={styles.foot}>
      <Button variant="default" onClick={onClose}>
        Close
      </Button>
      <Button type="submit" loading={pending} disabled={disabled} data-testid="reason-submit">
        {action}
      </Button>
    </div>
  );
}
