import { afterEach, describe, expect, test } from '@jest/globals';
import { World, type WorldOptions } from '../testing/world.ts';

const START = Date.parse('2026-01-05T12:00:00Z');
const SECOND = 1000;
let world: World;
afterEach(() => world.close());

async function aWorld(tasks: string, options: WorldOptions = {}): Promise<void> {
  world = await World.open({ at: new Date(START).toISOString(), ...options });
  await world.release(`name: p\ntasks:\n${tasks}\n  use: { needs: [w], run: "true" }`, OTHER);
}

const OTHER = `name: other
paths: { raw: { at: raw, partition: ds } }
tasks: { make: { run: "true", writes: [raw] } }`;

/** Moves on second by second, as the loop of a scheduler does. */
async function seconds(count: number): Promise<void> {
  for (let second = 0; second < count; second++) await world.tick(world.clock.now().getTime() + SECOND);
}

async function reasonOf(runId: string, taskId = 'w'): Promise<string | null> {
  const [row] = await world.db.query<{ reason: string | null }[]>(
    'select reason from task_run where run_id = $1 and task_id = $2',
    [runId, taskId],
  );
  return row?.reason ?? null;
}

function all(taskId: string) {
  return { taskId, mapIndex: null };
}

async function parked(): Promise<string[]> {
  const rows = await world.db.query<{ id: string }[]>('select id::text from run where parked order by id');
  return rows.map(({ id }) => id);
}

describe('a path', () => {
  test('that is not there is looked at again every so often; once it is there the task succeeds without an attempt', async () => {
    await aWorld('  w: { wait: { path: "landing/${{ env.name }}/_SUCCESS", every: 5s } }');
    const id = await world.run('p');
    expect(await world.tasks(id)).toEqual({ w: 'waiting' });
    expect(await reasonOf(id)).toBe('waits for path landing/dev/_SUCCESS');
    expect(await parked()).toEqual([id]);
    world.there.add('landing/dev/_SUCCESS');
    await seconds(4);
    expect(await world.tasks(id)).toEqual({ w: 'waiting' });
    await seconds(1);
    expect(await world.tasks(id)).toEqual({ use: 'queued', w: 'success' });
    expect(await reasonOf(id)).toBe('landing/dev/_SUCCESS is there');
    await world.endAll();
    expect(await world.runs('p')).toEqual(['manual success']);
    expect(world.problems).toEqual([]);
  });

  test('that does not come ends the task by its on_timeout', async () => {
    await aWorld(
      '  w: { wait: { path: landing/x, every: 60s, timeout: 5s } }\n  v: { wait: { path: landing/x, timeout: 5s, on_timeout: skip } }',
    );
    const id = await world.run('p');
    await seconds(5);
    expect(await world.tasks(id)).toEqual({ use: 'upstream_failed', v: 'skipped', w: 'failed' });
    expect(await reasonOf(id)).toBe('its timeout came first; last: landing/x is not there yet');
    expect(await world.runs('p')).toEqual(['manual failed']);
  });
});

test('another pipeline’s partition: the one in which the interval ends, told of when it is published', async () => {
  await aWorld('  w: { wait: { dataset: other.raw, every: 1h } }');
  const id = await world.run('p', { from: '2026-01-03T00:00:00Z', to: '2026-01-04T00:00:00Z' });
  expect(await reasonOf(id)).toBe('waits for data at other.raw of the interval in which 2026-01-04T00:00:00.000Z lies');
  await world.run('other', { from: '2026-01-04T00:00:00Z', to: '2026-01-05T00:00:00Z' });
  await world.endAll();
  await world.wait(100);
  // A later day is another partition.
  expect(await world.tasks(id)).toEqual({ w: 'waiting' });
  await world.run('other', { from: '2026-01-03T00:00:00Z', to: '2026-01-04T00:00:00Z' });
  const published = {
    name: 'raw',
    location: 'other/raw/ds=2026-01-03',
    version: 'v1',
    manifestHash: 'h',
    files: 1,
    bytes: 1,
  };
  await world.end('make', undefined, { versions: [published] });
  await world.wait(100);
  expect(await world.tasks(id)).toEqual({ use: 'queued', w: 'success' });
  expect(await reasonOf(id)).toBe('version v1 is published');
  expect(await world.runs('other')).toEqual(['01-04T00:00 success', '01-03T00:00 success']);
});

test('another pipeline’s run for the same interval: a failed one does not count, the next one does', async () => {
  await aWorld('  w: { wait: { run: other, every: 1h } }');
  const interval = { from: '2026-01-03T00:00:00Z', to: '2026-01-04T00:00:00Z' };
  const id = await world.run('p', interval);
  await world.run('other', interval);
  await world.end('make', { kind: 'failed', exitCode: 1, message: 'no' });
  await world.wait(100);
  const [row] = await world.db.query<{ detail: string }[]>('select detail from task_wait where run_id = $1', [id]);
  expect(row?.detail).toMatch(/^run \d+ is failed$/);
  await world.run('other', interval);
  await world.endAll();
  await world.wait(100);
  expect((await world.tasks(id)).w).toBe('success');
  // Nor does one that somebody marked failed afterwards; marked success, one that failed does.
  const [first, second] = await world.db.query<{ id: string }[]>(
    "select id from run where pipeline = 'other' order by id",
  );
  const mark = { taskId: null, mapIndex: null, reason: 'r', actor: 'ann' };
  await world.commands.mark(second!.id, { ...mark, state: 'failed' });
  const next = await world.run('p', interval);
  await world.commands.mark(first!.id, { ...mark, state: 'success' });
  await world.tick();
  expect([(await world.tasks(next)).w, await reasonOf(next)]).toEqual(['success', `run ${first!.id} succeeded`]);
  // Without an interval there is nothing to compare with.
  const none = await world.run('p');
  expect(await reasonOf(none)).toContain('and this run has none; trigger it with --at');
});

test('a time comes by itself: nothing is looked at before', async () => {
  await aWorld('  w: { wait: { time: data_interval_end + 2h } }');
  const id = await world.run('p', { from: '2026-01-05T00:00:00Z', to: '2026-01-05T11:00:00Z' });
  expect(await reasonOf(id)).toBe('waits for time 2026-01-05T13:00:00.000Z');
  const [row] = await world.db.query<{ at: string }[]>('select next_check_at as at from task_wait');
  expect(row?.at).toBe('2026-01-05T13:00:00.000Z');
  await world.tick('2026-01-05T12:59:59Z');
  expect((await world.tasks(id)).w).toBe('waiting');
  await world.tick('2026-01-05T13:00:00Z');
  expect((await world.tasks(id)).w).toBe('success');
  // One that has passed is no wait at all.
  const late = await world.run('p', { from: '2026-01-05T00:00:00Z', to: '2026-01-05T10:00:00Z' });
  expect((await world.tasks(late)).w).toBe('success');
});

test('an expression knows what came before and the time; one that cannot be evaluated fails', async () => {
  await aWorld(`  a: { run: "true" }
  w: { needs: [a], wait: { expr: 'tasks.a.outputs.rows > 5 && now >= timestamp("2026-01-05T12:00:10Z")', every: 10s } }`);
  const id = await world.run('p');
  await world.end('a', undefined, { outputs: { rows: 6 } });
  expect((await world.tasks(id)).w).toBe('waiting');
  await seconds(11);
  expect((await world.tasks(id)).w).toBe('success');
  const bad = await world.run('p');
  await world.executor.end('a', undefined, { outputs: {} });
  await world.settle();
  expect([(await world.tasks(bad)).w, await reasonOf(bad)]).toEqual(['failed', expect.stringContaining('rows')]);
});

test('an address is asked with its token until its body says so, and left alone for as long as it asks', async () => {
  await aWorld(`  w:
    wait:
      http: { url: 'https://a.example/ready?day=\${{ run.trigger + "/&" }}', expr: response.body.ready, bearer: API }
      every: 5s`);
  const asked: unknown[] = [];
  let answer = { status: 503, body: 'busy' as unknown, retryAfterMs: 20_000 as number | null };
  world.httpLook = (request) => {
    asked.push(request);
    return Promise.resolve(answer);
  };
  const id = await world.run('p');
  expect(asked).toEqual([
    { environment: 'dev', url: 'https://a.example/ready?day=manual%2F%26', headers: {}, bearer: 'API' },
  ]);
  expect(await reasonOf(id)).toBe('waits for https://a.example/ready');
  answer = { status: 200, body: {}, retryAfterMs: null };
  await seconds(19);
  expect(asked).toHaveLength(1);
  await seconds(1);
  const [row] = await world.db.query<{ detail: string }[]>('select detail from task_wait');
  expect([asked.length, row?.detail]).toEqual([2, expect.stringContaining('no such key: ready')]);
  answer = { status: 200, body: { ready: true }, retryAfterMs: null };
  await seconds(5);
  expect((await world.tasks(id)).w).toBe('success');
});

describe('a person', () => {
  const ANNA = { name: 'anna', groups: ['leads'] };

  test('continues or rejects, once, with words; only those asked may', async () => {
    await aWorld('  w: { approve: { message: "Publish ${{ run.id }}?", groups: [leads] } }');
    const id = await world.run('p');
    expect(await reasonOf(id)).toBe(`waits for Publish ${id}?`);
    expect(await parked()).toEqual([id]);
    const yes = { isApproved: true, comment: 'looks good' };
    await expect(world.commands.answer(id, all('w'), yes, { name: 'ben', groups: [] })).rejects.toMatchObject({
      code: 'forbidden',
      message: `Task "w" of run ${id} asks leads; ben is in no group.`,
    });
    await expect(world.commands.answer(id, all('use'), yes, ANNA)).rejects.toMatchObject({ code: 'conflict' });
    await world.commands.answer(id, all('w'), yes, ANNA);
    await expect(world.commands.answer(id, all('w'), yes, ANNA)).rejects.toMatchObject({ code: 'conflict' });
    await world.tick();
    expect(await world.tasks(id)).toEqual({ use: 'queued', w: 'success' });
    expect(await reasonOf(id)).toBe('approved by anna: looks good');
    const second = await world.run('p');
    await world.commands.answer(second, all('w'), { isApproved: false, comment: '' }, ANNA);
    await world.tick();
    expect([await world.tasks(second), await reasonOf(second)]).toEqual([
      { use: 'upstream_failed', w: 'failed' },
      'rejected by anna',
    ]);
    const audit = await world.db.query<{ line: string }[]>(
      "select actor || ' ' || action as line from audit where action like 'task.%' order by seq",
    );
    expect(audit.map(({ line }) => line)).toEqual(['anna task.approve', 'anna task.reject']);
  });

  test('who does not answer in time decides nothing', async () => {
    await aWorld('  w: { approve: { message: Go on?, timeout: 10s, on_timeout: skip } }');
    const id = await world.run('p');
    await seconds(10);
    expect(await world.tasks(id)).toEqual({ use: 'skipped', w: 'skipped' });
    expect(await reasonOf(id)).toBe('its timeout came first; last: nobody has answered');
  });
});

describe('a gate that a person may let pass', () => {
  const GATED = `name: p
paths: { model: { at: model } }
tasks:
  train:
    run: "true"
    writes: [model]
    metrics: [auc]
    checks: [{ name: slow, expr: outputs.seconds < 60, on_fail: warn }]
    gate: { expr: metrics.auc > 0.8, on_fail: needs_approval, groups: [leads], timeout: 1h }
  use: { reads: [model], run: "true" }
alerts: [{ on: task.approval, to: "slack:#ml" }]`;
  const VERSION = { name: 'model', location: 'p/model', version: 'v1', manifestHash: 'h', files: 1, bytes: 1 };
  const SAID = {
    outputs: { seconds: 90 },
    metrics: [{ name: 'auc', value: 0.7, step: null, ts: START }],
    versions: [VERSION],
    summary: 'not so good',
  };
  const QUESTION =
    'gate does not hold: `metrics.auc > 0.8` with metrics {"auc":0.7}, baseline {}; may it pass all the same?';

  async function tried(): Promise<string> {
    world = await World.open({ at: new Date(START).toISOString() });
    await world.release(GATED);
    const id = await world.run('p');
    await world.end('train', undefined, SAID);
    return id;
  }

  async function counted(): Promise<unknown> {
    const [row] = await world.db.query<unknown[]>(
      `select (select array_agg(counted) from metric) as metrics, (select array_agg(counted) from check_result) as checks,
              (select array_agg(version) from path_pointer) as shown, (select used from pool where name = 'default') as used`,
    );
    return row;
  }

  test('holds its result back, and no slot; once approved the result counts as it was made', async () => {
    const id = await tried();
    expect([await world.tasks(id), await reasonOf(id, 'train')]).toEqual([{ train: 'waiting' }, QUESTION]);
    expect(await parked()).toEqual([id]);
    expect(await counted()).toEqual({ metrics: [false], checks: [false], shown: null, used: 0 });
    const told = await world.db.query<{ title: string }[]>("select message ->> 'title' as title from alert_delivery");
    expect(told).toEqual([{ title: `Task "train" asks: ${QUESTION}` }]);
    const yes = { isApproved: true, comment: 'a quiet week' };
    await expect(world.commands.answer(id, all('train'), yes, { name: 'ben', groups: [] })).rejects.toMatchObject({
      code: 'forbidden',
    });
    await world.restart();
    await world.commands.answer(id, all('train'), yes, { name: 'anna', groups: ['leads'] });
    await world.tick();
    expect(await world.tasks(id)).toEqual({ train: 'success', use: 'queued' });
    expect(await reasonOf(id, 'train')).toBe(`approved by anna: a quiet week; ${QUESTION}`);
    expect(await counted()).toEqual({ metrics: [true], checks: [true], shown: ['v1'], used: 1 });
    expect(world.executor.find('use').reads[0]?.versions[0]?.version).toBe('v1');
    const [row] = await world.db.query<unknown[]>("select outputs, summary from task_run where task_id = 'train'");
    expect(row).toEqual({ outputs: { seconds: 90 }, summary: 'not so good' });
    await world.endAll();
    expect(await world.runs('p')).toEqual(['manual success']);
    expect(world.problems).toEqual([]);
  });

  test('fails when it is rejected, and when nobody answers in time; nothing is shown, nothing counts', async () => {
    const id = await tried();
    await world.commands.answer(
      id,
      all('train'),
      { isApproved: false, comment: '' },
      { name: 'anna', groups: ['leads'] },
    );
    await world.tick();
    expect(await world.tasks(id)).toEqual({ train: 'failed', use: 'upstream_failed' });
    expect(await reasonOf(id, 'train')).toBe(`rejected by anna; ${QUESTION}`);
    const second = await world.run('p');
    await world.end('train', undefined, SAID);
    await world.tick(START + 3_600_000);
    expect((await world.tasks(second)).train).toBe('failed');
    expect(await counted()).toEqual({ metrics: [false, false], checks: [false, false], shown: null, used: 0 });
  });

  test('asks nobody while the run is being stopped, nor in one that publishes nothing', async () => {
    const id = await tried();
    await world.commands.cancel(id, 'ann');
    await world.tick();
    expect(await world.tasks(id)).toEqual({ train: 'cancelled', use: 'cancelled' });
    const shadow = await world.run('p');
    await world.db.query("update run set shadow = true, trigger = 'smoke' where id = $1", [shadow]);
    await world.restart();
    await world.end('train', undefined, SAID);
    expect((await world.tasks(shadow)).train).toBe('failed');
  });
});

describe('a run that only waits belongs to nobody', () => {
  test('until it is cancelled, or has lasted longer than its run_timeout', async () => {
    world = await World.open();
    await world.release('name: p\nmax_active_runs: 2\nrun_timeout: 1h\ntasks: { w: { wait: { path: x } } }');
    const [first, second] = [await world.run('p'), await world.run('p')];
    expect(await parked()).toEqual([first, second]);
    await world.commands.cancel(first, 'anna');
    await world.tick();
    expect(await world.tasks(first)).toEqual({ w: 'cancelled' });
    await world.tick(world.clock.now().getTime() + 3_700_000);
    expect(await world.runs('p')).toEqual(['manual cancelled', 'manual timed_out']);
    expect(await world.db.query('select from task_wait where outcome is not null')).toEqual([]);
  });

  test('and is in the memory of its owner while something else of it goes on', async () => {
    await aWorld('  w: { wait: { path: x, every: 1s } }\n  b: { run: "true" }');
    const id = await world.run('p');
    expect(await parked()).toEqual([]);
    await world.end('b');
    expect(await parked()).toEqual([id]);
    world.there.add('x');
    await seconds(1);
    expect((await world.tasks(id)).w).toBe('success');
  });

  test('so that whoever is killed meanwhile takes nothing with him, and nothing happens twice', async () => {
    await aWorld('  w: { wait: { path: x, every: 1s } }\n  b: { run: "true" }\n  v: { approve: Go on? }');
    const id = await world.run('p');
    // Killed while it owns the run, because an attempt of it goes on.
    await world.restart();
    expect(await world.tasks(id)).toEqual({ b: 'queued', v: 'waiting', w: 'waiting' });
    await world.endAll();
    expect(await parked()).toEqual([id]);
    // Killed while nobody owns it; answered and found while nobody lives.
    await world.restart();
    world.there.add('x');
    await world.commands.answer(id, all('v'), { isApproved: true, comment: '' }, { name: 'anna', groups: [] });
    await seconds(1);
    expect(await world.tasks(id)).toEqual({ b: 'success', use: 'queued', v: 'success', w: 'success' });
    await world.endAll();
    expect(await world.runs('p')).toEqual(['manual success']);
    expect(await world.db.query("select from attempt where task_id in ('w', 'v')")).toEqual([]);
  });

  test('two processes look: each wait ends once, whoever found it', async () => {
    await aWorld('  w: { wait: { path: x, every: 1s } }');
    await world.process();
    const ids = [await world.run('p')];
    world.there.add('x');
    await seconds(2);
    for (const id of ids) expect((await world.tasks(id)).w).toBe('success');
    expect(world.problems).toEqual([]);
  });
});
