import { lazy, Suspense, useState } from 'react';
import { Button } from '@mantine/core';
import { IconBan, IconPencilCheck, IconPlayerTrackNext, IconRotateClockwise, IconX } from '@tabler/icons-react';
import { useActOnRuns, type BulkAction } from '../actions.ts';
import { useMay } from '../promotion/use-may.ts';
import type { Selection } from './use-selection.ts';
import styles from './bulk-bar.module.css';

const BulkMark = lazy(() => import('./bulk-mark.tsx').then((file) => ({ default: file.BulkMark })));
/** The API takes so many at once. */
const MOST = 500;

/** What may be done to the chosen runs; nothing while none is. */
export function BulkBar({ env, selection }: { env: string; selection: Selection }) {
  const may = useMay('operate', env);
  const act = useActOnRuns(env, selection.clear);
  const [marking, setMarking] = useState(false);
  const runs = [...selection.chosen];
  if (runs.length === 0 || !may) return null;
  const button = (label: string, action: BulkAction, Icon: typeof IconBan, testId: string) => (
    <Button
      size="xs"
      variant="default"
      leftSection={<Icon size={14} />}
      disabled={runs.length > MOST}
      loading={act.isPending}
      onClick={() => act.mutate({ runs, action })}
      data-testid={testId}
    >
      {label}
    </Button>
  );
  return (
    <div className={styles.bar} role="toolbar" aria-label="Chosen runs" data-testid="bulk-bar">
      <span className="num" aria-live="polite">
        {runs.length} chosen{runs.length > MOST && `; at most ${MOST} at once`}
      </span>
      {button('Rerun failed', { kind: 'rerun', mode: 'failed' }, IconRotateClockwise, 'bulk-rerun')}
      {button('Resume', { kind: 'rerun', mode: 'failed', release: 'current' }, IconPlayerTrackNext, 'bulk-resume')}
      {button('Cancel', { kind: 'cancel' }, IconBan, 'bulk-cancel')}
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPencilCheck size={14} />}
        onClick={() => setMarking(true)}
        data-testid="bulk-mark"
      >
        Mark …
      </Button>
      <Button size="xs" variant="subtle" leftSection={<IconX size={14} />} onClick={selection.clear}>
        Clear
      </Button>
      {marking && (
        <Suspense fallback={null}>
          <BulkMark
            count={runs.length}
            pending={act.isPending}
            onSubmit={(action) => act.mutate({ runs, action }, { onSettled: () => setMarking(false) })}
            onClose={() => setMarking(false)}
          />
        </Suspense>
      )}
    </div>
  );
}
