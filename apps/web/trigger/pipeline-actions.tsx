import { lazy, Suspense, useState } from 'react';
import { Button } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconBolt } from '@tabler/icons-react';
import type { PipelineSummary } from '#contracts';
import { usePause } from '../actions.ts';
import { useEnv } from '../parts/environment.ts';
import { IconButton } from '../parts/icon-button.tsx';
import { useKeys } from '../parts/keys.ts';

const TriggerDialog = lazy(() => import('./trigger-dialog.tsx').then((file) => ({ default: file.TriggerDialog })));

/** Pause and trigger; `compact` in a table, with names on the pipeline's own page (where `t` triggers). */
export function PipelineActions({ pipeline, compact = false }: { pipeline: PipelineSummary; compact?: boolean }) {
  const env = useEnv();
  const pause = usePause(env, pipeline.name);
  const [triggering, setTriggering] = useState(false);
  const broken = pipeline.problems.length > 0;
  useKeys(compact || broken ? {} : { t: () => setTriggering(true) });
  const pauseText = pipeline.paused ? 'Continue the schedule' : 'Pause the schedule';
  const PauseIcon = pipeline.paused ? IconPlayerPlay : IconPlayerPause;
  const dialog = triggering && (
    <Suspense fallback={null}>
      <TriggerDialog pipeline={pipeline.name} onClose={() => setTriggering(false)} />
    </Suspense>
  );
  if (compact)
    return (
      <span style={{ display: 'inline-flex', gap: 2 }}>
        <IconButton
          name={`${pauseText} of ${pipeline.name}`}
          disabled={broken}
          loading={pause.isPending}
          onClick={() => pause.mutate(!pipeline.paused)}
        >
          <PauseIcon size={16} stroke={1.7} />
        </IconButton>
        <IconButton
          name={`Trigger ${pipeline.name}`}
          disabled={broken}
          onClick={() => setTriggering(true)}
          testId={`trigger-${pipeline.name}`}
        >
          <IconBolt size={16} stroke={1.7} />
        </IconButton>
        {dialog}
      </span>
    );
  return (
    <>
      <Button
        variant="default"
        leftSection={<PauseIcon size={15} />}
        disabled={broken}
        loading={pause.isPending}
        onClick={() => pause.mutate(!pipeline.paused)}
        data-testid="pause"
      >
        {pipeline.paused ? 'Continue' : 'Pause'}
      </Button>
      <Button
        leftSection={<IconBolt size={15} />}
        disabled={broken}
        onClick={() => setTriggering(true)}
        data-testid="trigger"
      >
        Trigger
      </Button>
      {dialog}
    </>
  );
}
