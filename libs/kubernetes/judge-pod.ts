import type { V1ContainerStateTerminated, V1Pod } from '@kubernetes/client-node';
import type { Outcome } from '#core';

/** What becomes of an attempt whose pod this is, as far as the pod can tell. */
export type PodVerdict =
  /** It has not begun. `why` is a sentence for people; null: nothing is unusual. */
  | { readonly kind: 'waits'; readonly why: string | null }
  | { readonly kind: 'runs' }
  /** It is over; the outcome of an attempt that its worker did not report. */
  | { readonly kind: 'ended'; readonly outcome: Outcome };

/** Reasons that do not go away by waiting. */
const HOPELESS = ['InvalidImageName', 'ErrImageNeverPull'];
const IMAGE = [...HOPELESS, 'ErrImagePull', 'ImagePullBackOff', 'ImageInspectError', 'RegistryUnavailable'];
const CONTAINER = ['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'];
/** Of what a container said last; a status holds up to 2 KiB. */
const MOST_LINES = 5;

/** `startMs`: a container that cannot be started for so long never will. `now`: epoch milliseconds. */
export function judgePod(pod: V1Pod, now: number, startMs: number): PodVerdict {
  const phase = pod.status?.phase ?? 'Pending';
  const ended = terminated(pod);
  if (hasEnded(pod) || ended !== undefined) return { kind: 'ended', outcome: outcomeOf(pod, ended) };
  if (phase === 'Unknown' || pod.status?.reason === 'NodeLost')
    return { kind: 'ended', outcome: lost(`the node ${nodeOf(pod)} is lost`) };
  return phase === 'Running' ? { kind: 'runs' } : judgeStart(pod, now, startMs);
}

/** Nothing of it runs, or ever will. */
export function hasEnded({ status }: V1Pod): boolean {
  return status?.phase === 'Failed' || status?.phase === 'Succeeded';
}

/** The outcome of an attempt whose pod is not there any more. */
export function outcomeOfDeleted(pod: V1Pod): Outcome {
  return lost(disruption(pod) ?? 'its pod was deleted');
}

function judgeStart(pod: V1Pod, now: number, startMs: number): PodVerdict {
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False')
    return {
      kind: 'waits',
      why: `Its pod cannot be scheduled: ${scheduled.message ?? scheduled.reason ?? 'no reason'}.`,
    };
  const { reason = '', message } = pod.status?.containerStatuses?.[0]?.state?.waiting ?? {};
  const what = IMAGE.includes(reason)
    ? `the image ${pod.spec?.containers[0]?.image ?? ''} cannot be pulled`
    : CONTAINER.includes(reason)
      ? 'its container cannot be started'
      : null;
  if (what === null) return { kind: 'waits', why: `Its pod is being started on ${nodeOf(pod)}.` };
  const text = `${what}: ${message ?? reason}`;
  const since = scheduled?.lastTransitionTime ?? pod.metadata?.creationTimestamp;
  const isOver = since !== undefined && now - new Date(since).getTime() >= startMs;
  return isOver || HOPELESS.includes(reason)
    ? { kind: 'ended', outcome: { kind: 'failed', exitCode: null, message: text } }
    : { kind: 'waits', why: `${text[0]!.toUpperCase()}${text.slice(1)}.` };
}

function outcomeOf(pod: V1Pod, ended: V1ContainerStateTerminated | undefined): Outcome {
  const { reason, message } = pod.status ?? {};
  if (reason === 'DeadlineExceeded')
    return { kind: 'timed_out', message: 'its pod went on for longer than its task may, and was ended' };
  if (ended?.reason === 'OOMKilled') {
    const limit = pod.spec?.containers[0]?.resources?.limits?.['memory'];
    const where = limit === undefined ? '' : ` at the limit of ${limit} bytes`;
    return { kind: 'failed', exitCode: ended.exitCode, message: `out of memory: it was killed${where} (OOMKilled)` };
  }
  const disrupted = disruption(pod);
  if (disrupted !== null) return lost(disrupted);
  // Evicted, NodeShutdown, OutOfcpu and whatever else a node says of a pod that it ended or never began.
  if (reason !== undefined) return lost(`its pod ended: ${reason}${message === undefined ? '' : `: ${message}`}`);
  if (ended?.reason === 'StartError' || ended?.reason === 'ContainerCannotRun')
    return {
      kind: 'failed',
      exitCode: ended.exitCode,
      message: `its container cannot be started: ${ended.message ?? ''}`,
    };
  if (ended === undefined || ended.exitCode === 0) return lost('its pod ended without a word of it');
  return lost(`its worker ended with exit code ${ended.exitCode}${lastLines(ended.message)}`);
}

/** Why Kubernetes ended it: an eviction, a preemption, a node that went away. */
function disruption(pod: V1Pod): string | null {
  const { status, reason, message } = pod.status?.conditions?.find(({ type }) => type === 'DisruptionTarget') ?? {};
  return status === 'True' ? `its pod was ended by Kubernetes: ${reason ?? ''}${message ? `: ${message}` : ''}` : null;
}

function terminated(pod: V1Pod): V1ContainerStateTerminated | undefined {
  return pod.status?.containerStatuses?.[0]?.state?.terminated;
}

function nodeOf(pod: V1Pod): string {
  return pod.spec?.nodeName ?? 'a node';
}

function lastLines(text: string | undefined): string {
  const lines = (text ?? '').trim().split('\n').filter(Boolean).slice(-MOST_LINES);
  return lines.length === 0 ? '' : `: ${lines.join(' / ')}`;
}

function lost(message: string): Outcome {
  return { kind: 'lost', message };
}
