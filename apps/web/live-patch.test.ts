import { beforeEach, describe, expect, test } from '@jest/globals';
import { QueryClient, type QueryKey } from '@tanstack/react-query';
import type { LiveEvent } from '#contracts';
import { applyEvent } from './live-patch.ts';

let client: QueryClient;
let stale: QueryKey[];
const apply = (event: LiveEvent) => applyEvent(client, event, (key) => stale.push(key));
beforeEach(() => {
  client = new QueryClient();
  stale = [];
});

describe('a live event', () => {
  test('a run that changed is changed in every list at once and its times are read later', () => {
    client.setQueryData(['runs', 'dev', {}, 100], {
      pages: [
        {
          items: [
            { id: 'r1', state: 'running' },
            { id: 'r2', state: 'queued' },
          ],
          next: null,
        },
      ],
      pageParams: [null],
    });
    client.setQueryData(['pipelines', 'dev'], {
      items: [{ name: 'p', lastRuns: [{ id: 'r1', state: 'running' }] }],
      next: null,
    });
    client.setQueryData(['run', 'r1'], { id: 'r1', state: 'running' });
    apply({ kind: 'run', environment: 'dev', pipeline: 'p', runId: 'r1', state: 'failed' });
    expect(client.getQueryData(['runs', 'dev', {}, 100])).toMatchObject({
      pages: [{ items: [{ state: 'failed' }, { state: 'queued' }] }],
    });
    expect(client.getQueryData(['pipelines', 'dev'])).toMatchObject({ items: [{ lastRuns: [{ state: 'failed' }] }] });
    expect(client.getQueryData(['run', 'r1'])).toMatchObject({ state: 'failed' });
    expect(stale).toContainEqual(['runs', 'dev']);
    expect(stale).toContainEqual(['grid', 'dev', 'p']);
  });

  test('task runs are changed one by one; other environments and runs are left alone', () => {
    const taskRuns = [
      { taskId: 'train', mapIndex: 0, state: 'queued' },
      { taskId: 'train', mapIndex: 1, state: 'queued' },
    ];
    client.setQueryData(['run', 'r1'], { id: 'r1', taskRuns });
    client.setQueryData(['run', 'r2'], { id: 'r2', taskRuns });
    apply({
      kind: 'tasks',
      environment: 'dev',
      pipeline: 'p',
      runId: 'r1',
      taskRuns: [{ taskId: 'train', mapIndex: 1, state: 'running' }],
    });
    expect(client.getQueryData(['run', 'r1'])).toMatchObject({ taskRuns: [{ state: 'queued' }, { state: 'running' }] });
    expect(client.getQueryData(['run', 'r2'])).toMatchObject({ taskRuns: [{ state: 'queued' }, { state: 'queued' }] });
  });

  test('progress needs no read at all', () => {
    client.setQueryData(['task', 'r1', 'train', 0], { progress: null });
    apply({
      kind: 'progress',
      environment: 'dev',
      pipeline: 'p',
      runId: 'r1',
      taskId: 'train',
      mapIndex: 0,
      done: 3,
      total: 9,
      label: 'rounds',
    });
    expect(client.getQueryData(['task', 'r1', 'train', 0])).toEqual({
      progress: { done: 3, total: 9, label: 'rounds' },
    });
    expect(stale).toEqual([]);
  });

  test('nothing is made up for what was never read', () => {
    apply({ kind: 'run', environment: 'dev', pipeline: 'p', runId: 'r1', state: 'running' });
    apply({ kind: 'tasks', environment: 'dev', pipeline: 'p', runId: 'r1', taskRuns: [] });
    expect(client.getQueryCache().getAll()).toEqual([]);
  });
});
