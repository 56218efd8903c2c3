import type { UnplacedAttempt } from '#core';
import type { KubernetesSettings } from './settings.ts';

/** Labels by which jobs and pods of ours are found. */
export const ATTEMPT = 'sluice/attempt';
export const RUN = 'sluice/run';
export const FENCE = 'sluice/fence';

/** Everything of an installation, and nothing of another one. */
export function selectorOf({ name }: Pick<KubernetesSettings, 'name'>): string {
  return `app.kubernetes.io/managed-by=sluice,app.kubernetes.io/instance=${name}`;
}

/** The same attempt has the same name, so that making its job twice makes it once. */
export function jobNameOf({ name }: Pick<KubernetesSettings, 'name'>, attemptId: string): string {
  return `${name}-${attemptId}`;
}

/** What people select by; values of labels are short and of few characters, see `annotationsOf` for the whole ones. */
export function labelsOf({ name }: Pick<KubernetesSettings, 'name'>, attempt: UnplacedAttempt): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'sluice-attempt',
    'app.kubernetes.io/managed-by': 'sluice',
    'app.kubernetes.io/instance': name,
    [ATTEMPT]: attempt.attemptId,
    [RUN]: attempt.runId,
    [FENCE]: String(attempt.fence),
    'sluice/environment': labelValue(attempt.environment),
    'sluice/pipeline': labelValue(attempt.pipeline),
    'sluice/task': labelValue(attempt.taskId),
    'sluice/pool': labelValue(attempt.pool),
  };
}

export function annotationsOf(attempt: UnplacedAttempt): Record<string, string> {
  return {
    'sluice/environment': attempt.environment,
    'sluice/pipeline': attempt.pipeline,
    'sluice/task': attempt.taskId,
    'sluice/map-index': String(attempt.mapIndex),
    'sluice/map-key': attempt.mapKey,
    'sluice/try': String(attempt.number),
  };
}

/** At most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends. */
function labelValue(text: string): string {
  return text
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 63)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
}
