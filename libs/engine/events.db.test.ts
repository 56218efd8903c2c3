import { afterEach, expect, test } from '@jest/globals';
import { SluiceError } from '#core';
import { World } from '../testing/world.ts';
import { Events, type IncomingEvent } from './events.ts';

let world: World;
let events: Events;
afterEach(() => world.close());

async function aWorld(...pipelines: string[]): Promise<void> {
  world = await World.open();
  await world.release(...pipelines);
  await world.tick();
  const { parts } = world;
  events = new Events({ ...parts, now: () => parts.clock.now(), onChange: parts.wake });
}

const loader = (events: string, more = ''): string => `
name: loader
schedule: { events: ${events} }
${more}
params:
  file: { type: string, default: none, pattern: "^[a-z./]+$" }
  rows: { type: integer, default: 0 }
  tags: { type: array, default: [] }
tasks: { load: { run: "true" } }`;

const mapped =
  '{ file-arrived: { params: { file: "in/${{ event.name }}", rows: "${{ event.stats.rows }}", tags: "${{ event.tags }}" } } }';

function send(over: Partial<IncomingEvent> = {}): ReturnType<Events['receive']> {
  return events.receive({
    ...{ environment: 'dev', name: 'file-arrived', key: 'k1', bodyHash: 'h1', actor: 'mover' },
    payload: { name: 'a.csv', stats: { rows: 12 }, tags: ['x'] },
    prove: () => Promise.resolve(),
    ...over,
  });
}

async function refusal(sent: Promise<unknown>): Promise<string> {
  const error: unknown = await sent.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SluiceError)) throw new Error('it was not refused');
  return `${error.code}: ${error.message} ${error.hint ?? ''}`.trim();
}

test('an event starts what names it, with parameters made from the payload; sent again it is the same', async () => {
  await aWorld(
    loader(mapped),
    loader('file-arrived').replace('loader', 'watcher'),
    loader('other').replace('loader', 'x'),
  );
  const first = await send();
  expect(first).toMatchObject({ isRepeated: false, runs: [{ pipeline: 'loader' }, { pipeline: 'watcher' }] });
  expect(await send()).toEqual({ ...first, isRepeated: true });
  expect(await refusal(send({ bodyHash: 'h2' }))).toBe(
    'conflict: The key "k1" was used with another payload. Give each event a key of its own; repeat one with exactly the same body.',
  );
  const rows = await world.db.query<Record<string, unknown>[]>(
    `select pipeline, trigger, why, params, depth from run order by id`,
  );
  const why = 'Event file-arrived from mover, with the key k1.';
  const about = { trigger: 'event', why, depth: 1 };
  expect(rows).toEqual([
    { ...about, pipeline: 'loader', params: { file: 'in/a.csv', rows: 12, tags: ['x'] } },
    { ...about, pipeline: 'watcher', params: { file: 'none', rows: 0, tags: [] } },
  ]);
});

test.each<[string, unknown, RegExp]>([
  ['a member is missing', {}, /params.file: Expression `event.name` cannot be evaluated/],
  ['a value does not fit its parameter', { name: 'A;rm', stats: { rows: 1 }, tags: [] }, /Parameter "file"/],
  ['a value has another type', { name: 'a', stats: { rows: 'many' }, tags: [] }, /Parameter "rows"/],
  ['the payload is no map', 'x', /params.file/],
])('a run that cannot be is recorded as skipped: %s', async (_, payload, reason) => {
  await aWorld(loader(mapped));
  const { runs } = await send({ payload });
  expect(runs).toEqual([
    { runId: expect.any(String), pipeline: 'loader', state: 'skipped', reason: expect.any(String) },
  ]);
  expect(runs[0]?.reason).toMatch(reason);
});

test('overlap and pauses hold for events too; each queued event keeps its run', async () => {
  await aWorld(
    loader('file-arrived', 'max_active_runs: 1'),
    loader('file-arrived', 'max_active_runs: 1\noverlap: skip').replace('loader', 'skipper'),
  );
  for (const key of ['a', 'b', 'c']) {
    await send({ key });
    await world.tick();
  }
  expect(await world.runs('loader')).toEqual(['event running', 'event queued', 'event queued']);
  expect(await world.runs('skipper')).toEqual(['event running', 'event skipped', 'event skipped']);
  await world.commands.setPaused('dev', 'loader', true, 'ann');
  const { runs } = await send({ key: 'd' });
  expect(runs[0]).toMatchObject({ state: 'skipped', reason: 'the pipeline was paused when the event came' });
});

test('an event that nothing waits for, and a sender that cannot prove its secret, start nothing', async () => {
  await aWorld(loader('{ file-arrived: { secret: WEBHOOK } }'));
  expect(await refusal(send({ name: 'file-arived' }))).toBe(
    'not_found: No pipeline in "dev" waits for the event "file-arived". Did you mean "file-arrived"?',
  );
  expect(await refusal(send({ environment: 'nowhere' }))).toMatch(/^not_found/);
  const asked: string[] = [];
  const prove = (secret: string): Promise<void> => {
    asked.push(secret);
    return Promise.reject(new SluiceError('unauthorized', 'no'));
  };
  expect(await refusal(send({ prove }))).toBe('unauthorized: no');
  expect(asked).toEqual(['WEBHOOK']);
  expect(await world.runs('loader')).toEqual([]);
});

test('an event that a task sends is at the depth of its run, which it links to; beyond twenty nothing starts, with an alert', async () => {
  world = await World.open({ environment: 'alerts: { slack: { channel: "#a", token: { env: T } } }' });
  await world.release(loader('file-arrived'));
  await world.tick();
  const { parts } = world;
  events = new Events({ ...parts, now: () => parts.clock.now(), onChange: parts.wake });
  const sender = await world.run('loader');
  for (const depth of [19, 20]) {
    await world.db.query('update run set depth = $1 where id = $2', [depth, sender]);
    await send({ key: `at ${depth}`, sender });
  }
  const started = await world.db.query<object[]>(
    `select depth, state, (select cause_id::text from run_cause where run_id = r.id) as cause from run r where trigger = 'event' order by id`,
  );
  expect(started).toMatchObject([
    { depth: 20, cause: sender },
    { depth: 21, cause: sender, state: 'skipped' },
  ]);
  expect(await world.db.query('select event from alert_delivery')).toEqual([{ event: 'run.looping' }]);
  expect(await refusal(send({ key: 'k9', sender: '999' }))).toBe(
    'bad_request: The event says that it is sent by run 999, which dev does not have. Send `sluice-run` only from a task of this environment, with its SLUICE_RUN_ID.',
  );
});

test('the same event sent to two processes at once starts one run, and both answer with it', async () => {
  await aWorld(loader('file-arrived'));
  const { parts } = world;
  const other = new Events({
    ...parts,
    store: (await world.process()).store,
    now: () => new Date(),
    onChange: parts.wake,
  });
  const incoming: IncomingEvent = {
    ...{ environment: 'dev', name: 'file-arrived', key: 'k1', bodyHash: 'h1', actor: 'mover', payload: {} },
    prove: () => Promise.resolve(),
  };
  const outcomes = await Promise.all([events.receive(incoming), other.receive(incoming), events.receive(incoming)]);
  expect(new Set(outcomes.map(({ runs }) => runs[0]?.runId)).size).toBe(1);
  expect(outcomes.map(({ isRepeated }) => isRepeated).sort()).toEqual([false, true, true]);
});
