import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase } from '#testing';
import {
  anAttempt,
  aRun,
  aTaskRun,
  NOW,
  seededReads,
  type SeededReads,
} from '../../libs/platform/reads/seeded-reads.ts';
import { anApi, type ApiUnderTest } from './api-under-test.ts';
import { BODIES, ODD_JSON, oddAddresses } from './odd-values.ts';

// The API on real reads and commands: what holds together only with Postgres behind it.
let seeded: SeededReads;
let api: ApiUnderTest;
beforeAll(async () => {
  seeded = await seededReads(await createTestDatabase());
  api = await anApi({}, { reads: seeded.reads, commands: seeded.commands });
});
beforeEach(async () => {
  await seeded.clear();
  for (let index = 0; index < 7; index += 1) await aRun(seeded, { state: 'failed' });
  await aTaskRun(seeded, '7', 'ingest', 'failed', { number: 1 });
  await anAttempt(seeded, '7', 'ingest', 1, 'failed', { finished_at: NOW, exit_code: 3 });
});
afterAll(async () => {
  await api.close();
  await seeded.close();
});

/** The addresses and bodies of the fuzz test name other things than the seed has. */
const asSeeded = (text: string) =>
  text
    .replaceAll('flight-delays', 'churn')
    .replaceAll('/pipelines/p', '/pipelines/churn')
    .replaceAll('tasks/t', 'tasks/ingest');

describe('with Postgres behind it', () => {
  test('no odd address makes it fail', async () => {
    let answered = 0;
    for (const url of oddAddresses()) {
      const { status, text } = await api.ask(asSeeded(url));
      if (status >= 500) throw new Error(`${url} was answered with ${status}: ${text} ${api.logged.join('')}`);
      if (status === 200) answered += 1;
    }
    expect(answered).toBeGreaterThan(50); // the rest of each address was good
  });

  test('no odd body makes it fail', async () => {
    for (const [path, body] of BODIES) {
      for (const value of ODD_JSON) {
        for (const key of Object.keys(body)) {
          const changed = {
            ...body,
            pipeline: undefined,
            ...('pipeline' in body ? { pipeline: 'churn' } : {}),
            [key]: value,
          };
          const { status, text } = await api.ask(`/api/v1${asSeeded(path)}`, { method: 'POST', body: changed });
          if (status >= 500) throw new Error(`${path} ${JSON.stringify(changed)}: ${text} ${api.logged.join('')}`);
        }
      }
    }
  });

  test('odd parameters of a run are stored as they are', async () => {
    const params = { sample: 0.5 };
    const made = await api.ask('/api/v1/pipelines/churn/runs', {
      method: 'POST',
      body: { environment: 'dev', params, at: '2026-01-03T12:00:00Z' },
    });
    expect([made.status, made.json]).toEqual([
      201,
      expect.objectContaining({
        state: 'queued',
        params,
        interval: { start: '2026-01-03T01:00:00.000Z', end: '2026-01-04T01:00:00.000Z' },
        why: expect.stringContaining('the API token'),
      }),
    ]);
    expect((await api.ask(`/api/v1/runs/${made.json.id}/why`)).json.items[0].rule).toBe('max_active_runs');
    expect((await api.ask(`/api/v1/runs/${made.json.id}/cancel`, { method: 'POST' })).json.state).toBe('cancelled');
    expect((await api.ask(`/api/v1/runs/${made.json.id}/cancel`, { method: 'POST' })).status).toBe(409);
  });

  test('a rerun takes over by reference; a backfill tells its plan before it does anything', async () => {
    const rerun = await api.ask('/api/v1/runs/7/rerun', { method: 'POST', body: { mode: 'failed' } });
    expect([rerun.status, rerun.json.originRun]).toEqual([201, '7']);
    const body = { environment: 'dev', pipeline: 'churn', from: '2026-01-05', to: '2026-01-07' };
    const plan = await api.ask('/api/v1/backfills', { method: 'POST', body: { ...body, dryRun: true } });
    expect(plan.json.runs.map((one: { action: string; runId: string | null }) => [one.action, one.runId])).toEqual([
      ['create', null],
      ['create', null],
    ]);
    const done = await api.ask('/api/v1/backfills', { method: 'POST', body });
    expect(done.json.runs.map((one: { runId: string | null }) => one.runId)).toEqual(['9', '10']);
  });

  test('metrics from outside are added whole or not at all', async () => {
    const add = (points: object[]) => api.ask('/api/v1/runs/7/metrics', { method: 'POST', body: { points } });
    expect((await add([{ taskId: 'ingest', name: 'rows', value: 3 }])).status).toBe(204);
    const wrong = await add([
      { taskId: 'ingest', name: 'rows', value: 4 },
      { taskId: 'nope', name: 'rows', value: 5 },
    ]);
    expect([wrong.status, wrong.json.error.message]).toEqual([404, 'Run 7 has no task run nope[0] (yet).']);
    const { json } = await api.ask('/api/v1/runs/7/tasks/ingest');
    expect(json.attempts[0].metrics.map((point: { value: number }) => point.value)).toEqual([3]);
  });

  test('paging by the given cursors reaches every run once', async () => {
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const { json } = await api.ask(`/api/v1/runs?env=dev&limit=3${cursor}`);
      seen.push(...json.items.map((run: { id: string }) => run.id));
      if (json.next === null) break;
      cursor = `&cursor=${json.next}`;
    }
    expect(seen).toEqual(['7', '6', '5', '4', '3', '2', '1']);
  });
});
