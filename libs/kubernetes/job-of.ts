import type { V1Container, V1EnvVar, V1Job, V1PodSpec, V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import { timesResources, type Resources, type UnplacedAttempt } from '#core';
import { annotationsOf, jobNameOf, labelsOf } from './labels.ts';
import { podSettingsOf, type KubernetesSettings, type PodSettings } from './settings.ts';

/** The only folder that a worker writes to, besides the storage. */
const SCRATCH = '/tmp';
/** Reporting takes a moment after what runs was ended. */
const SIGN_OUT_SECONDS = 20;
/** Pulling an image and unpacking a release happen within the deadline of the pod, and not within that of the task. */
const START_SECONDS = 600;

/** The job of an attempt: one pod, made once, that executes this attempt and no other. The same attempt gives the same job. */
export function jobOf(attempt: UnplacedAttempt, settings: KubernetesSettings): V1Job {
  const about = { labels: labelsOf(settings, attempt), annotations: annotationsOf(attempt) };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: jobNameOf(settings, attempt.attemptId), ...about },
    spec: {
      completions: 1,
      parallelism: 1,
      // Whether an attempt is made again is decided elsewhere.
      backoffLimit: 0,
      ttlSecondsAfterFinished: seconds(settings.keepMs),
      template: { metadata: about, spec: podOf(attempt, settings) },
    },
  };
}

function podOf(attempt: UnplacedAttempt, settings: KubernetesSettings): V1PodSpec {
  const pod = podSettingsOf(settings, attempt.pool);
  const volumes = settings.volumes.map(({ claim, readOnly }, index): V1Volume => {
    return { name: `data-${index}`, persistentVolumeClaim: { claimName: claim, readOnly } };
  });
  return {
    restartPolicy: 'Never',
    // A task speaks to no cluster unless it is given a service account for that.
    automountServiceAccountToken: pod.serviceAccount !== null,
    ...(pod.serviceAccount === null ? {} : { serviceAccountName: pod.serviceAccount }),
    enableServiceLinks: false,
    terminationGracePeriodSeconds: seconds(settings.drainMs) + SIGN_OUT_SECONDS,
    // Of the pod, not of the job: it begins when a node has taken the pod, so that waiting for one does not count. The
    // worker keeps the time-out of the task itself; this is for one that hangs.
    ...(attempt.timeoutMs === null
      ? {}
      : { activeDeadlineSeconds: seconds(attempt.timeoutMs) + START_SECONDS + seconds(settings.drainMs) }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: settings.user,
      runAsGroup: settings.user,
      fsGroup: settings.user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    nodeSelector: { ...pod.nodeSelector },
    tolerations: pod.tolerations.map((toleration) => ({ ...toleration })) as V1PodSpec['tolerations'],
    imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })),
    containers: [containerOf(attempt, settings, pod)],
    volumes: [{ name: 'scratch', emptyDir: {} }, ...volumes],
  };
}

function containerOf(attempt: UnplacedAttempt, settings: KubernetesSettings, pod: PodSettings): V1Container {
  const mounts = settings.volumes.map(({ at, readOnly }, index): V1VolumeMount => {
    return { name: `data-${index}`, mountPath: at, readOnly };
  });
  // All its replicas run in the one pod.
  const resources = timesResources({ ...pod.resources, ...attempt.resources }, attempt.replicas?.count ?? 1);
  return {
    name: 'attempt',
    image: pod.image,
    command: ['sluice', 'worker', '--attempt', attempt.attemptId],
    env: variablesOf(settings, resources),
    envFrom: settings.envFromSecrets.map((name) => ({ secretRef: { name } })),
    resources: { requests: quantitiesOf(resources), limits: quantitiesOf(resources) },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    // What a worker says when it cannot even begin is in the status of the pod, so that nobody has to read pods' logs.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [{ name: 'scratch', mountPath: SCRATCH }, ...mounts],
  };
}

/** Ours win over those of the settings. */
function variablesOf(settings: KubernetesSettings, { cpu, memory, gpu }: Resources): V1EnvVar[] {
  const values: Record<string, string> = {
    ...settings.env,
    HOME: SCRATCH,
    SLUICE_URL: settings.url,
    SLUICE_HOME: `${SCRATCH}/sluice`,
    SLUICE_DRAIN_SECONDS: String(seconds(settings.drainMs)),
    // The pod has what its task asked for, whatever the node says.
    ...(cpu === undefined ? {} : { SLUICE_WORKER_CPU: String(cpu) }),
    ...(memory === undefined ? {} : { SLUICE_WORKER_MEMORY: `${Math.ceil(memory / 1024 ** 2)}Mi` }),
    ...(gpu === undefined ? {} : { SLUICE_WORKER_GPU: String(gpu) }),
  };
  const { name, key } = settings.tokenSecret;
  return [
    ...Object.entries(values).map(([variable, value]) => ({ name: variable, value })),
    { name: 'SLUICE_TOKEN', valueFrom: { secretKeyRef: { name, key } } },
  ];
}

/** Quantities of Kubernetes: thousandths of processors, bytes, devices. */
function quantitiesOf({ cpu, memory, gpu }: Resources): Record<string, string> {
  return {
    ...(cpu === undefined ? {} : { cpu: `${Math.round(cpu * 1000)}m` }),
    ...(memory === undefined ? {} : { memory: String(Math.ceil(memory)) }),
    ...(gpu === undefined || gpu === 0 ? {} : { 'nvidia.com/gpu': String(gpu) }),
  };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
