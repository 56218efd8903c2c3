import { useState, type FormEvent, type ReactNode } from 'react';
import { Button, Modal, Textarea } from '@mantine/core';
import styles from './promotion.module.css';

interface ReasonDialogProps {
  readonly title: string;
  /** What follows from it. */
  readonly children: ReactNode;
  readonly action: string;
  readonly tone?: 'bad';
  readonly pending: boolean;
  readonly onSubmit: (reason: string) => void;
  readonly onClose: () => void;
}

/** An act that needs a reason, which is shown for ever. */
export function ReasonDialog({ title, children, action, tone, pending, onSubmit, onClose }: ReasonDialogProps) {
  const [reason, setReason] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (reason.trim() !== '') onSubmit(reason.trim());
  };
  return (
    <Modal opened onClose={onClose} title={title} size={480} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit} className={styles.form}>
        {children}
        <Textarea
          label="Reason"
          description="Stands in the audit trail for ever."
          required
          data-autofocus
          rows={3}
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          data-testid="reason-text"
        />
        <div className={styles.foot}>
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button
            type="submit"
            loading={pending}
            disabled={reason.trim() === ''}
            {...(tone === 'bad' ? { variant: 'default', className: styles.danger ?? '' } : {})}
            data-testid="reason-submit"
          >
            {action}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
