import { useState } from 'react';
import { SegmentedControl } from '@mantine/core';
import type { MarkedState } from '#core';
import type { BulkAction } from '../actions.ts';
import { ReasonDialog } from '../promotion/reason-dialog.tsx';

interface BulkMarkProps {
  readonly count: number;
  readonly pending: boolean;
  readonly onSubmit: (action: BulkAction) => void;
  readonly onClose: () => void;
}

/** Says what several runs count as, for one reason. */
export function BulkMark({ count, pending, onSubmit, onClose }: BulkMarkProps) {
  const [as, setAs] = useState<MarkedState>('success');
  return (
    <ReasonDialog
      title={count === 1 ? 'Mark a run' : `Mark ${count} runs`}
      action={`Mark ${as}`}
      pending={pending}
      onSubmit={(reason) => onSubmit({ kind: 'mark', as, reason })}
      onClose={onClose}
    >
      <SegmentedControl
        aria-label="What they count as"
        data={['success', 'failed']}
        value={as}
        onChange={(value) => setAs(value as MarkedState)}
      />
      <p className="dim">What has ended keeps its state. What goes on is stopped and ends as {as}.</p>
    </ReasonDialog>
  );
}
