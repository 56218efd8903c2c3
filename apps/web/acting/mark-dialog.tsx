import { useState } from 'react';
import { NativeSelect, SegmentedControl } from '@mantine/core';
import type { MarkedState } from '#core';
import type { RunDetail } from '#contracts';
import { useMark } from '../actions.ts';
import { isOver } from '../parts/state-look.ts';
import { ReasonDialog } from '../promotion/reason-dialog.tsx';

/** Says what a run, or a task of it, counts as. `task` undefined: the run, until another is chosen. */
export function MarkDialog({ run, task, onClose }: { run: RunDetail; task?: string; onClose: () => void }) {
  const [named, setNamed] = useState(task ?? '');
  const [as, setAs] = useState<MarkedState>('success');
  const mark = useMark(run.id, onClose);
  const over = isOver(run.state);
  return (
    <ReasonDialog
      title="Mark"
      action={`Mark ${as}`}
      pending={mark.isPending}
      onSubmit={(reason) => mark.mutate({ as, reason, ...(named === '' ? {} : { task: named }) })}
      onClose={onClose}
    >
      <NativeSelect
        label="What"
        data={[{ value: '', label: 'The run' }, ...run.tasks.map(({ id }) => ({ value: id, label: `Task ${id}` }))]}
        value={named}
        onChange={(event) => setNamed(event.currentTarget.value)}
        data-testid="mark-what"
      />
      <SegmentedControl
        aria-label="What it counts as"
        data={['success', 'failed']}
        value={as}
        onChange={(value) => setAs(value as MarkedState)}
        data-testid="mark-as"
      />
      <p className="dim">{followsFrom(named, as, over)}</p>
    </ReasonDialog>
  );
}

function followsFrom(task: string, as: MarkedState, over: boolean): string {
  const again = as === 'success' ? 'takes it over as it is marked' : 'executes it again';
  if (task !== '')
    return over
      ? `Its state stays; the next rerun ${again}.`
      : 'What of it goes on is stopped and publishes nothing. What has ended keeps its state; the next rerun goes by the mark.';
  if (over) return 'Its state stays; whatever waits for it goes by the mark.';
  return `What runs is stopped, the rest is cancelled, and the run ends as ${as}; its \`finally\` tasks still follow.`;
}
