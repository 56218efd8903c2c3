import { describe, expect, test } from '@jest/globals';
import type { V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { judgePod, outcomeOfDeleted } from './judge-pod.ts';

const START_MS = 120_000;
const SCHEDULED = Date.parse('2026-01-01T00:00:00Z');
const scheduled = [{ type: 'PodScheduled', status: 'True', lastTransitionTime: new Date(SCHEDULED) }];

function pod(status: V1PodStatus): V1Pod {
  const container = { name: 'attempt', image: 'sluice:1', resources: { limits: { memory: '1024' } } };
  return { metadata: { name: 'sluice-17-abcde' }, spec: { nodeName: 'node-1', containers: [container] }, status };
}

function container(state: object) {
  const about = { name: 'attempt', image: 'sluice:1', imageID: '', ready: false, restartCount: 0 };
  return [{ ...about, state }];
}

/** `waits: …`, `runs` or the outcome as text. */
function said(status: V1PodStatus, afterMs = 0): string {
  const verdict = judgePod(pod(status), SCHEDULED + afterMs, START_MS);
  if (verdict.kind === 'runs') return 'runs';
  if (verdict.kind === 'waits') return `waits: ${verdict.why ?? ''}`;
  const { outcome } = verdict;
  return `${outcome.kind}: ${'message' in outcome ? outcome.message : ''}`;
}

describe('a pod that has not begun', () => {
  const pulling = {
    phase: 'Pending',
    conditions: scheduled,
    containerStatuses: container({
      waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "sluice:1"' },
    }),
  };

  test('waits, and says what for', () => {
    expect(said({ phase: 'Pending', conditions: scheduled })).toBe('waits: Its pod is being started on node-1.');
    const full = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: '0/3 nodes are available: 3 Insufficient memory',
    };
    expect(said({ phase: 'Pending', conditions: [full] }, 86_400_000)).toBe(
      'waits: Its pod cannot be scheduled: 0/3 nodes are available: 3 Insufficient memory.',
    );
  });

  test('may fail to pull its image for a while, and then fails with what the node says', () => {
    expect(said(pulling, START_MS - 1)).toBe(
      'waits: The image sluice:1 cannot be pulled: Back-off pulling image "sluice:1".',
    );
    expect(said(pulling, START_MS)).toBe(
      'failed: the image sluice:1 cannot be pulled: Back-off pulling image "sluice:1"',
    );
  });

  test('fails at once where waiting does not help', () => {
    const wrong = container({ waiting: { reason: 'InvalidImageName', message: 'couldn’t parse image name "SLUICE"' } });
    expect(said({ ...pulling, containerStatuses: wrong })).toMatch(/^failed: .* couldn’t parse image name/);
  });

  test('the same goes for a container that cannot be made, such as one whose Secret is missing', () => {
    const lacking = container({
      waiting: { reason: 'CreateContainerConfigError', message: 'secret "sluice-work" not found' },
    });
    expect(said({ ...pulling, containerStatuses: lacking })).toMatch(/^waits: Its container cannot be started/);
    expect(said({ ...pulling, containerStatuses: lacking }, START_MS)).toBe(
      'failed: its container cannot be started: secret "sluice-work" not found',
    );
  });
});

describe('a pod that is over without a report of its worker', () => {
  const ended = (state: object, more: V1PodStatus = {}): V1PodStatus => ({
    ...{ phase: 'Failed', containerStatuses: container({ terminated: state }), conditions: scheduled },
    ...more,
  });

  test.each<[string, V1PodStatus, string]>([
    [
      'killed at its limit',
      ended({ exitCode: 137, reason: 'OOMKilled' }),
      'failed: out of memory: it was killed at the limit of 1024 bytes (OOMKilled)',
    ],
    [
      'evicted by its node',
      { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: ephemeral-storage.' },
      'lost: its pod ended: Evicted: The node was low on resource: ephemeral-storage.',
    ],
    [
      'ended through the API of Kubernetes',
      ended(
        { exitCode: 143, reason: 'Error' },
        {
          conditions: [
            {
              type: 'DisruptionTarget',
              status: 'True',
              reason: 'EvictionByEvictionAPI',
              message: 'Eviction API: evicting',
            },
          ],
        },
      ),
      'lost: its pod was ended by Kubernetes: EvictionByEvictionAPI: Eviction API: evicting',
    ],
    [
      'longer than it may',
      { phase: 'Failed', reason: 'DeadlineExceeded' },
      'timed_out: its pod went on for longer than its task may, and was ended',
    ],
    ['on a node that went away', { phase: 'Running', reason: 'NodeLost' }, 'lost: the node node-1 is lost'],
    ['of which nothing is known', { phase: 'Unknown' }, 'lost: the node node-1 is lost'],
    [
      'refused by its node',
      { phase: 'Failed', reason: 'OutOfcpu', message: 'Node didn’t have enough resource: cpu' },
      'lost: its pod ended: OutOfcpu: Node didn’t have enough resource: cpu',
    ],
    [
      'without the program',
      ended({ exitCode: 128, reason: 'StartError', message: 'exec: "sluice": executable file not found in $PATH' }),
      'failed: its container cannot be started: exec: "sluice": executable file not found in $PATH',
    ],
    [
      'whose worker gave up',
      ended({ exitCode: 1, reason: 'Error', message: 'error: No answer from http://api.\nhint: Is it running?\n' }),
      'lost: its worker ended with exit code 1: error: No answer from http://api. / hint: Is it running?',
    ],
    [
      'that says that all is well',
      { ...ended({ exitCode: 0, reason: 'Completed' }), phase: 'Succeeded' },
      'lost: its pod ended without a word of it',
    ],
  ])('%s', (_, status, expected) => expect(said(status)).toBe(expected));

  test('one that was deleted is lost, and says who deleted it where that is known', () => {
    expect(outcomeOfDeleted(pod({ phase: 'Running' }))).toEqual({ kind: 'lost', message: 'its pod was deleted' });
    const taint = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
    };
    expect(outcomeOfDeleted(pod({ phase: 'Running', conditions: [taint] }))).toMatchObject({
      message: expect.stringContaining('DeletionByTaintManager'),
    });
  });

  test('a pod that runs goes on', () => {
    expect(said({ phase: 'Running', conditions: scheduled, containerStatuses: container({ running: {} }) })).toBe(
      'runs',
    );
  });
});
