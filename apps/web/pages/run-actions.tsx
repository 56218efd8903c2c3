import { lazy, Suspense, useState } from 'react';
import { Button } from '@mantine/core';
import { IconBan, IconChevronDown, IconRotateClockwise } from '@tabler/icons-react';
import type { RunDetail } from '#contracts';
import { useCancel, useRerun, useVerify, type RerunInput } from '../actions.ts';
import { Menu, type MenuEntry } from '../parts/menu.tsx';
import { isOver } from '../parts/state-look.ts';

const MarkDialog = lazy(() => import('../acting/mark-dialog.tsx').then((file) => ({ default: file.MarkDialog })));

/** Cancel while it runs, rerun once it ended: failed tasks, from one task on, or all; on the same release or the current one. */
export function RunActions({ run }: { run: RunDetail }) {
  const cancel = useCancel(run.id);
  const rerun = useRerun(run.id);
  const verify = useVerify(run.id);
  const [marking, setMarking] = useState(false);
  const mark: MenuEntry = {
    ...{ kind: 'item', key: 'mark', testId: 'mark', content: 'Mark the run or a task …' },
    onClick: () => setMarking(true),
  };
  const dialog = marking && (
    <Suspense fallback={null}>
      <MarkDialog run={run} onClose={() => setMarking(false)} />
    </Suspense>
  );
  if (!isOver(run.state))
    return (
      <Button.Group>
        <Button
          variant="default"
          leftSection={<IconBan size={15} />}
          loading={cancel.isPending}
          disabled={run.cancelRequested}
          onClick={() => cancel.mutate()}
          data-testid="cancel"
        >
          {run.cancelRequested ? 'Cancelling …' : 'Cancel'}
        </Button>
        {!run.shadow && <More entries={[mark]} name="More ways to act" variant="default" />}
        {dialog}
      </Button.Group>
    );
  // What it was made from is run again, not this.
  if (run.shadow) return null;
  const failed = run.state !== 'success';
  const way = (content: string, input: RerunInput) => ({
    kind: 'item' as const,
    key: content,
    content,
    onClick: () => rerun.mutate(input),
  });
  const firstBad = run.taskRuns.find((one) => one.state === 'failed')?.taskId;
  return (
    <Button.Group>
      <Button
        variant={failed ? 'filled' : 'default'}
        leftSection={<IconRotateClockwise size={15} />}
        loading={rerun.isPending}
        onClick={() => rerun.mutate({ mode: failed ? 'failed' : 'all' })}
        data-testid="rerun"
      >
        {failed ? 'Rerun failed' : 'Rerun'}
      </Button>
      <More
        name="More ways to rerun"
        variant={failed ? 'filled' : 'default'}
        entries={[
          { kind: 'label', text: 'Creates a new run; finished tasks are taken over' },
          ...(failed ? [way('Failed tasks, on the current release', { mode: 'failed', release: 'current' })] : []),
          ...(firstBad === undefined ? [] : [way(`From ${firstBad} on`, { mode: 'from', task: firstBad })]),
          way('All tasks, same release', { mode: 'all' }),
          way('All tasks, current release', { mode: 'all', release: 'current' }),
          ...(run.taskRuns.some(({ cache }) => cache !== undefined)
            ? [way('All tasks, none from the cache', { mode: 'all', noCache: true })]
            : []),
          ...(failed ? [] : verifyEntries(() => verify.mutate())),
          { kind: 'label', text: 'Changes what it counts as' },
          mark,
        ]}
      />
      {dialog}
    </Button.Group>
  );
}

interface MoreProps {
  readonly name: string;
  readonly variant: 'filled' | 'default';
  readonly entries: readonly MenuEntry[];
}

function More({ name, variant, entries }: MoreProps) {
  return (
    <Menu
      position="bottom-end"
      width={300}
      entries={entries}
      target={(props) => (
        <Button variant={variant} px={8} aria-label={name} data-testid="rerun-more" {...props}>
          <IconChevronDown size={15} />
        </Button>
      )}
    />
  );
}

function verifyEntries(onClick: () => void): readonly MenuEntry[] {
  return [
    { kind: 'label', text: 'Publishes nothing' },
    { kind: 'item', key: 'verify', testId: 'verify', content: 'Verify: execute again, compare the files', onClick },
  ];
}
