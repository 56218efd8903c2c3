import type { V1PodStatus } from '@kubernetes/client-node';
import { now, type Raw, type RawPod } from './pods.ts';

/** Of a pod that a node has taken and whose container runs. */
export function runningStatus({ spec }: RawPod): Raw<V1PodStatus> {
  const container = {
    name: 'attempt',
    image: spec?.containers[0]?.image ?? '',
    imageID: '',
    ready: true,
    restartCount: 0,
  };
  return {
    phase: 'Running',
    startTime: now(),
    conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: now() }],
    containerStatuses: [{ ...container, state: { running: { startedAt: now() } } }],
  };
}

/** `reason`: of the container, such as `OOMKilled`. */
export function endedStatus(pod: RawPod, exitCode: number, message?: string, reason?: string): Raw<V1PodStatus> {
  const [container] = runningStatus(pod).containerStatuses!;
  const about = { exitCode, reason: reason ?? (exitCode === 0 ? 'Completed' : 'Error'), finishedAt: now() };
  return {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    containerStatuses: [
      {
        ...container!,
        ready: false,
        state: { terminated: { ...about, ...(message === undefined ? {} : { message }) } },
      },
    ],
  };
}

/** Of one whose container waits, for a reason such as `ImagePullBackOff`. */
export function waitingStatus(pod: RawPod, reason: string, message: string): Raw<V1PodStatus> {
  const { containerStatuses, ...running } = runningStatus(pod);
  const waiting = { ready: false, state: { waiting: { reason, message } } };
  return { ...running, phase: 'Pending', containerStatuses: [{ ...containerStatuses![0]!, ...waiting }] };
}

/** Of one that no node takes. */
export function unschedulableStatus(message: string): Raw<V1PodStatus> {
  const about = { reason: 'Unschedulable', message, lastTransitionTime: now() };
  return { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', ...about }] };
}
