import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { createTestDatabase } from '#testing';
import {
  anAttempt,
  aRun,
  aTaskRun,
  NOW,
  seededReads,
  type SeededReads,
  WEBHOOK_SECRET,
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
    expect(plan.json.intervals.map((one: { action: string; runId: string | null }) => [one.action, one.runId])).toEqual(
      [
        ['create', null],
        ['create', null],
      ],
    );
    const within = { ...body, from: '2026-01-05T06:00:00Z', to: '2026-01-05T07:00:00Z' };
    expect((await api.ask('/api/v1/backfills', { method: 'POST', body: within })).json).toEqual({
      ...{ backfill: null, intervals: [] },
      nothing: expect.stringMatching(/^No interval of "churn" begins from .* the next one begins at 2026-01-06/),
    });
    const done = await api.ask('/api/v1/backfills', { method: 'POST', body: { ...body, maxActive: 1 } });
    expect(done.json.backfill).toMatchObject({ state: 'running', pending: 1, runs: { queued: 1 }, maxActive: 1 });
    const at = `/api/v1/backfills/${done.json.backfill.id}`;
    expect((await api.ask(at)).json.intervals).toMatchObject([
      { state: 'created', runId: '9', runState: 'queued', reason: 'missing' },
      { state: 'pending', runId: null },
    ]);
    expect((await api.ask(`${at}/pause`, { method: 'POST' })).json.state).toBe('paused');
    expect((await api.ask(`${at}/resume`, { method: 'POST' })).json.state).toBe('running');
    expect((await api.ask(`${at}/cancel`, { method: 'POST' })).json).toMatchObject({
      state: 'cancelled',
      runs: { cancelled: 1 },
    });
    expect((await api.ask(`${at}/resume`, { method: 'POST' })).status).toBe(409);
    expect((await api.ask('/api/v1/backfills?env=dev')).json.items).toHaveLength(1);
  });

  test('what items of a task ask is told with the item, and answered one by one or all at once', async () => {
    const runId = await aRun(seeded, { state: 'running' });
    for (const [index, key] of ['lr=0.1', 'lr=0.2', 'lr=0.3'].entries()) {
      await aTaskRun(seeded, runId, 'train', 'waiting', { map_index: index, map_key: key, number: 1 });
      await seeded.insert('task_wait', {
        ...{ run_id: runId, task_id: 'train', map_index: index, environment: 'dev', kind: 'approve', what: 'Really?' },
        ...{ target: { kind: 'approve', groups: [] }, every_ms: 0, on_timeout: 'fail', since: NOW },
      });
    }
    const why = await api.ask(`/api/v1/runs/${runId}/why`);
    expect(why.json.items.slice(0, 1)).toMatchObject([{ rule: 'approval', taskId: 'train', mapKey: 'lr=0.1' }]);
    const answer = (body: object) =>
      api.ask(`/api/v1/runs/${runId}/tasks/train/approvals`, {
        method: 'POST',
        body: { decision: 'approve', ...body },
      });
    const one = await answer({ map: 1 });
    expect([one.json.mapKey, one.json.answered]).toEqual(['lr=0.2', [{ mapIndex: 1, mapKey: 'lr=0.2' }]]);
    expect((await answer({})).json.answered.map(({ mapKey }: { mapKey: string }) => mapKey)).toEqual([
      'lr=0.1',
      'lr=0.3',
    ]);
    expect((await answer({ map: 1 })).status).toBe(409);
    expect((await answer({ map: -1 })).status).toBe(400);
  });

  test('a mark of what has ended changes what it counts as, and no state', async () => {
    const mark = (body: object) => api.ask('/api/v1/runs/7/marks', { method: 'POST', body });
    const of = { as: 'success', reason: ' loaded by hand ' };
    expect((await mark({ ...of, task: 'ingest' })).status).toBe(200);
    const { json } = await mark(of);
    expect(json).toMatchObject({
      state: 'failed',
      marked: { as: 'success', by: 'the API token', reason: 'loaded by hand' },
    });
    expect((await api.ask('/api/v1/runs/7/tasks/ingest')).json).toMatchObject({
      state: 'failed',
      marked: { as: 'success' },
    });
    expect((await api.ask('/api/v1/runs?env=dev&limit=1')).json.items[0].marked.as).toBe('success');
    expect((await mark(of)).json.error.message).toBe('7 counts as success already.');
    expect((await mark({ as: 'failed', reason: '  ' })).status).toBe(400);
  });

  test('what is done to many runs is answered run by run; runs of elsewhere and finished ones are refused', async () => {
    const act = (runs: string[], action: object, environment = 'dev') =>
      api.ask('/api/v1/runs/bulk', { method: 'POST', body: { environment, runs, action } });
    const made = await act(['7', '6', '99', '7'], { kind: 'rerun' });
    const short = ({ json }: typeof made) =>
      json.items.map((one: Record<string, unknown>) => [one.runId, one.outcome, one.created, one.message]);
    expect(short(made)).toEqual([
      ['7', 'done', '8', null],
      ['6', 'done', '9', null],
      ['99', 'refused', null, 'There is no run 99 in dev.'],
    ]);
    const cancelled = await act(['8', '7'], { kind: 'cancel' });
    expect(short(cancelled)).toMatchObject([
      ['8', 'done', null, null],
      ['7', 'refused', null, expect.stringContaining('has ended')],
    ]);
    const marked = await act(['6', '5'], { kind: 'mark', as: 'success', reason: 'r' });
    expect(short(marked)).toMatchObject([
      ['6', 'done', null, null],
      ['5', 'done', null, null],
    ]);
    // Elsewhere nothing is told of them, not even that they exist.
    expect(short(await act(['7'], { kind: 'cancel' }, 'prod'))).toEqual([
      ['7', 'refused', null, 'There is no run 7 in prod.'],
    ]);
    expect(
      (
        await act(
          Array.from({ length: 501 }, (_, i) => String(i + 1)),
          { kind: 'cancel' },
        )
      ).status,
    ).toBe(400);
    const trail = (await api.ask('/api/v1/audit?env=dev')).json.items.map((one: { action: string }) => one.action);
    expect(trail.slice(0, 5)).toEqual(['run.mark', 'run.mark', 'run.cancel', 'run.rerun', 'run.rerun']);
  });

  test('intervals narrow the list of runs', async () => {
    const list = async (query: string) => (await api.ask(`/api/v1/runs?env=dev&${query}`)).json.items.length;
    expect(await list('from=2026-01-01&to=2026-01-03')).toBe(7);
    expect(await list('from=2026-01-02')).toBe(0);
    expect(await list('to=2026-01-02')).toBe(0);
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

describe('following a branch', () => {
  const dev = '/api/v1/environments/dev/follow';
  const HOOK = '/api/v1/webhooks/git';
  const push = { ref: 'refs/heads/main', repository: { full_name: 'team/repo' } };
  const signed = (text: string) => ({
    'x-hub-signature-256': `sha256=${createHmac('sha256', WEBHOOK_SECRET).update(text).digest('hex')}`,
  });
  const hook = (body: unknown) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return api.ask(HOOK, { method: 'POST', headers: signed(text), body: text });
  };
  const follow = (source: unknown, headers = api.as('anna', 'promote:dev configure:dev')) =>
    api.ask(dev, { method: 'PUT', headers, body: { source } });
  const asked = async () =>
    (await seeded.db.query<{ at: Date | null }[]>('select asked_at as at from environment_follow'))[0]?.at;
  beforeEach(() => seeded.db.query('truncate environment_follow'));

  test('says what is followed, and who began and ended it stands in the trail', async () => {
    const { status, json } = await follow('https://git.example.com/team/repo.git#main');
    const about = { remote: 'https://git.example.com/team/repo.git', ref: 'main' };
    expect([status, json.follow]).toEqual([200, { ...about, commit: null, at: null, problem: null, problems: [] }]);
    const listed = (await api.ask('/api/v1/environments')).json.items;
    expect(listed.find(({ name }: { name: string }) => name === 'dev').follow).toEqual(json.follow);
    const ended = await api.ask(dev, { method: 'DELETE', headers: api.as('bert', 'promote:dev') });
    expect([ended.status, ended.json.follow]).toEqual([200, null]);
    const trail = (await api.ask('/api/v1/audit?env=dev&limit=2')).json.items;
    expect(trail.map(({ actor, action }: Record<string, string>) => [actor, action])).toEqual([
      ['bert', 'environment.unfollow'],
      ['anna', 'environment.follow'],
    ]);
    expect(trail[1].detail).toMatchObject(about);
  });

  test('takes more than to promote, because it goes on without anybody asking; to end it takes no more', async () => {
    for (const rights of ['promote:dev', 'promote:dev release:dev override:dev approve:dev', 'configure:dev']) {
      const { status, json } = await follow('/srv/git/repo.git#main', api.as('ci', rights));
      expect([rights, status, json.error.code]).toEqual([rights, 403, 'forbidden']);
    }
    expect(await asked()).toBeUndefined();
    expect((await api.ask(dev, { method: 'DELETE', headers: api.as('ci', 'promote:dev') })).status).toBe(200);
  });

  test('needs an environment that there is, and a remote that holds no secret and runs nothing', async () => {
    for (const source of [
      ...['ext::sh -c id', '--upload-pack=id', 'http://x/y', 'https://u:p@x/y', '/srv/x#--all', '/srv/x#a..b', ''],
      ...[
        'relative/folder',
        'fd::7',
        `https://x/${'y'.repeat(1500)}`,
        'ssh://-oProxyCommand=id/x',
        null,
        7,
        ['/srv/x'],
      ],
    ])
      expect([source, (await follow(source)).status]).toEqual([source, 400]);
    const nowhere = await api.ask('/api/v1/environments/nope/follow', { method: 'PUT', body: { source: '/srv/x' } });
    expect([nowhere.status, nowhere.json.error.message]).toEqual([404, expect.stringContaining('"nope"')]);
    expect(await asked()).toBeUndefined();
  });

  test('a push hook has whoever follows that branch look at once, and tells its sender nothing', async () => {
    await follow('https://git.example.com/team/repo.git#main');
    const before = await asked();
    const elsewhere = [
      await hook({ ...push, ref: 'refs/heads/other' }),
      await hook({ ...push, repository: { full_name: 'team/other' } }),
      await hook({ zen: 'Keep it simple.' }),
    ];
    expect(await asked()).toEqual(before);
    const meant = await hook(push);
    expect(await asked()).not.toEqual(before);
    for (const { status, text } of [...elsewhere, meant]) expect([status, text]).toEqual([204, '']);
    const gitlab = { ref: 'refs/heads/main', project: { path_with_namespace: 'team/repo' } };
    const headers = { 'x-gitlab-token': WEBHOOK_SECRET };
    expect((await api.ask(HOOK, { method: 'POST', headers, body: gitlab })).status).toBe(204);
  });

  test('without its proof a hook is refused, whatever is followed; too large or not JSON, too', async () => {
    const wrong = async (headers: Record<string, string>) => api.ask(HOOK, { method: 'POST', headers, body: push });
    const none = await wrong({});
    expect([none.status, none.json.error.code]).toEqual([401, 'unauthorized']);
    await follow('https://git.example.com/team/repo.git#main');
    const before = await asked();
    const wrongProofs = [{}, signed('another body'), { 'x-gitlab-token': 'wrong' }, { 'x-gitlab-token': '' }];
    for (const headers of wrongProofs as Record<string, string>[]) expect((await wrong(headers)).text).toBe(none.text);
    expect(await asked()).toEqual(before);
    expect((await hook('{"ref":')).status).toBe(400);
    expect((await hook({ ...push, more: 'x'.repeat(5_000_000) })).status).toBe(413);
    for (const odd of ODD_JSON)
      for (const body of [odd, { ...push, ref: odd }, { ...push, repository: odd }, { ...push, project: odd }])
        expect([204, 400]).toContain((await hook(JSON.stringify(body))).status);
  });
});
