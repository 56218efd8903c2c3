import { Button, Menu } from '@mantine/core';
import { IconBan, IconChevronDown, IconRotateClockwise } from '@tabler/icons-react';
import type { RunDetail } from '#contracts';
import { useCancel, useRerun } from '../actions.ts';
import { isOver } from '../parts/state-look.ts';

/** Cancel while it runs, rerun once it ended: failed tasks, from one task on, or all; on the same release or the current one. */
export function RunActions({ run }: { run: RunDetail }) {
  const cancel = useCancel(run.id);
  const rerun = useRerun(run.id);
  if (!isOver(run.state))
    return (
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
    );
  const failed = run.state !== 'success';
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
      <Menu width={300}>
        <Menu.Target>
          <Button
            variant={failed ? 'filled' : 'default'}
            px={8}
            aria-label="More ways to rerun"
            data-testid="rerun-more"
          >
            <IconChevronDown size={15} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Creates a new run; finished tasks are taken over</Menu.Label>
          {failed && (
            <Menu.Item onClick={() => rerun.mutate({ mode: 'failed', release: 'current' })}>
              Failed tasks, on the current release
            </Menu.Item>
          )}
          {firstBad !== undefined && (
            <Menu.Item onClick={() => rerun.mutate({ mode: 'from', task: firstBad })}>
              From <span className="mono">{firstBad}</span> on
            </Menu.Item>
          )}
          <Menu.Item onClick={() => rerun.mutate({ mode: 'all' })}>All tasks, same release</Menu.Item>
          <Menu.Item onClick={() => rerun.mutate({ mode: 'all', release: 'current' })}>
            All tasks, current release
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Button.Group>
  );
}
