import type { AlertMessage } from '#core';

/** A failed run of `churn-model` in prod; `over` replaces what a test is about. */
export function anAlert(over: Partial<AlertMessage> = {}): AlertMessage {
  return {
    id: 'alert-1',
    event: 'run.failed',
    environment: 'prod',
    pipeline: 'churn-model',
    runId: 'r-41',
    release: 'a'.repeat(64),
    interval: { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' },
    owner: 'ml@acme.example',
    title: 'Task "train" failed on try 2 of 2: exit code 3',
    details: [{ label: 'Task', value: 'train' }],
    logTail: ['loading 120 features', 'Traceback (most recent call last):', 'ValueError: no rows'],
    runUrl: 'https://sluice.acme.example/runs/r-41',
    logUrl: 'https://sluice.acme.example/runs/r-41/train/0/2#L9',
    at: '2026-01-02T06:00:00Z',
    ...over,
  };
}
