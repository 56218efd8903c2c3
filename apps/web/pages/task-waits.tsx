import { Button, Group, TextInput } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import type { TaskRun } from '#contracts';
import { useAnswer } from '../actions.ts';
import { Fact, Facts } from '../parts/page.tsx';
import { Ago } from '../parts/time.tsx';
import { useMay } from '../promotion/use-may.ts';

interface Asked {
  readonly runId: string;
  readonly environment: string;
  readonly taskRun: TaskRun;
}

/** What a task run waits for, when it is looked at next and how it ends otherwise; of one that asks a person, the answer. */
export function TaskWaits({ runId, environment, taskRun }: Asked) {
  const { wait, taskId } = taskRun;
  if (!wait) return null;
  return (
    <>
      <Facts>
        <Fact label={wait.kind === 'approve' ? 'Asks' : 'Waits for'}>{wait.what}</Fact>
        <Fact label="Since">
          <Ago at={wait.since} />
        </Fact>
        {wait.kind !== 'approve' && wait.detail !== null && <Fact label="Last look">{wait.detail}</Fact>}
        {wait.kind !== 'approve' && wait.nextCheckAt !== null && (
          <Fact label="Next look">
            <Ago at={wait.nextCheckAt} />
          </Fact>
        )}
        {wait.timeoutAt !== null && (
          <Fact label={wait.onTimeout === 'fail' ? 'Fails' : 'Is skipped'}>
            <Ago at={wait.timeoutAt} />
          </Fact>
        )}
        {wait.groups.length > 0 && <Fact label="Who may answer">{wait.groups.join(', ')}</Fact>}
      </Facts>
      {wait.kind === 'approve' && <Answer runId={runId} environment={environment} taskId={taskId} />}
    </>
  );
}

function Answer({ runId, environment, taskId }: Omit<Asked, 'taskRun'> & { readonly taskId: string }) {
  const mayAnswer = useMay('approve', environment);
  const answer = useAnswer(runId, taskId);
  const [comment, setComment] = useState('');
  if (!mayAnswer) return null;
  const decide = (decision: 'approve' | 'reject') => (): void =>
    answer.mutate({ decision, comment: comment.trim() === '' ? null : comment });
  return (
    <Group gap="xs" my="sm">
      <TextInput
        aria-label="Comment"
        placeholder="Why"
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
        data-testid="answer-comment"
      />
      <Button
        leftSection={<IconCheck size={15} />}
        loading={answer.isPending}
        onClick={decide('approve')}
        data-testid="answer-approve"
      >
        Continue
      </Button>
      <Button
        variant="default"
        leftSection={<IconX size={15} />}
        loading={answer.isPending}
        onClick={decide('reject')}
        data-testid="answer-reject"
      >
        Reject
      </Button>
    </Group>
  );
}
