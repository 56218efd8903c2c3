import { Button, Group, TextInput } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
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
  /** Where it does not go without saying. */
  readonly name?: string;
}

/** What a task run waits for, when it is looked at next and how it ends otherwise; of one that asks a person, the answer. */
export function TaskWaits({ runId, environment, taskRun, name }: Asked) {
  const { wait, taskId, mapIndex, mapKey } = taskRun;
  if (!wait) return null;
  return (
    <>
      <Facts>
        {name !== undefined && (
          <Fact label="Task">
            <Link
              to="/runs/$run/tasks/$task"
              params={{ run: runId, task: taskId }}
              search={mapKey === '' ? {} : { map: mapIndex }}
              className="link mono"
            >
              {name}
            </Link>
          </Fact>
        )}
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
      {wait.kind === 'approve' && (
        <Answer
          runId={runId}
          environment={environment}
          taskId={taskId}
          name={name ?? taskId}
          {...(mapKey === '' ? {} : { map: mapIndex })}
        />
      )}
    </>
  );
}

interface AnswerProps extends Omit<Asked, 'taskRun'> {
  readonly taskId: string;
  readonly name: string;
  /** Absent: all that the task asks now. */
  readonly map?: number;
}

/** For whoever may answer what a task asks. */
export function Answer({ runId, environment, taskId, name, map }: AnswerProps) {
  const mayAnswer = useMay('approve', environment);
  const answer = useAnswer(runId, taskId);
  const [comment, setComment] = useState('');
  if (!mayAnswer) return null;
  const decide = (decision: 'approve' | 'reject') => (): void =>
    answer.mutate({
      decision,
      comment: comment.trim() === '' ? null : comment,
      ...(map === undefined ? {} : { map }),
    });
  return (
    <Group gap="xs" my="sm">
      <TextInput
        aria-label={`Comment on ${name}`}
        placeholder="Why"
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
        data-testid="answer-comment"
      />
      <Button
        leftSection={<IconCheck size={15} />}
        loading={answer.isPending}
        onClick={decide('approve')}
        aria-label={`Continue ${name}`}
        data-testid="answer-approve"
      >
        Continue
      </Button>
      <Button
        variant="default"
        leftSection={<IconX size={15} />}
        loading={answer.isPending}
        onClick={decide('reject')}
        aria-label={`Reject ${name}`}
        data-testid="answer-reject"
      >
        Reject
      </Button>
    </Group>
  );
}
