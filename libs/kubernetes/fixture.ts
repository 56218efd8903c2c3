import type { UnplacedAttempt } from '#core';
import type { KubernetesSettings } from './settings.ts';

/** For tests: settings with nothing unusual. */
export const SETTINGS: KubernetesSettings = {
  namespace: 'sluice',
  name: 'sluice',
  image: 'registry.example/sluice:1',
  serviceAccount: null,
  nodeSelector: {},
  tolerations: [],
  resources: { cpu: 0.25, memory: 256 * 2 ** 20 },
  url: 'http://sluice-api:7460',
  tokenSecret: { name: 'sluice-work', key: 'token' },
  imagePullSecrets: [],
  env: {},
  envFromSecrets: [],
  volumes: [],
  user: 1000,
  drainMs: 25_000,
  startMs: 120_000,
  keepMs: 3_600_000,
  pools: {},
};

export const ATTEMPT: UnplacedAttempt = {
  ...{ attemptId: '17', runId: '5', environment: 'dev', pipeline: 'churn-model', taskId: 'train' },
  ...{ mapIndex: 0, mapKey: '', pool: 'default', number: 1, fence: 7, timeoutMs: null },
};
