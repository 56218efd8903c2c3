import { afterEach, describe, expect, test } from '@jest/globals';
import type { FileContent, InputBinding, PublishedVersion, VerificationRecord } from '#core';
import { createVerificationStore } from '#store';
import { FAILURE, SUCCESS } from '../../testing/scripted-executor.ts';
import { World, type WorldOptions } from '../../testing/world.ts';
import { finishVerifications } from './finish-verifications.ts';
import { requestVerification } from './request-verification.ts';
import { sampleVerifications } from './sample-verifications.ts';
import type { VerificationParts } from './verification-parts.ts';

let world: World;
/** What storage holds, by version: text by file. */
let stored: Map<string, Readonly<Record<string, string>>>;
let parts: VerificationParts;
let discarded: string[];
afterEach(() => world.close());

async function open(options: WorldOptions, ...pipelines: string[]): Promise<void> {
  world = await World.open(options);
  await world.release(...pipelines);
  stored = new Map();
  discarded = [];
  const verifications = createVerificationStore(world.db);
  parts = {
    ...world.parts,
    verifications,
    filesOf: async (_environment, version, manifestHash) => {
      const files = stored.get(version);
      return files !== undefined && hashOf(files) === manifestHash ? filesOf(files) : null;
    },
    discard: async (shadowRunId) => void discarded.push(shadowRunId),
    textOf: async (_environment, version, { path }) => stored.get(version)?.[path] ?? null,
  };
}

const filesOf = (files: Readonly<Record<string, string>>): FileContent[] =>
  Object.entries(files).map(([path, text]) => ({ path, bytes: text.length, sha256: `sha of ${text}` }));
const hashOf = (files: Readonly<Record<string, string>>): string => JSON.stringify(files);

/** Ends an attempt well; it wrote these files to each of its outputs. */
async function write(name: string, files: Readonly<Record<string, string>>): Promise<void> {
  const { writes, attemptId } = world.executor.find(name);
  const versions = writes.map((output): PublishedVersion => {
    const version = `${output.location}/v${attemptId}`;
    stored.set(version, files);
    return { name: output.name, location: output.location, version, manifestHash: hashOf(files), files: 1, bytes: 1 };
  });
  await world.end(name, SUCCESS, { versions });
  await world.wait(50);
}

/** Begins the verification of a run; its attempts wait for the test. */
async function verify(runId: string): Promise<VerificationRecord> {
  await requestVerification(parts, runId, { actor: 'ann', sampled: false });
  await world.tick();
  return latest(runId);
}

async function verdict(runId: string): Promise<VerificationRecord> {
  await finishVerifications(parts);
  return latest(runId);
}

async function latest(runId: string): Promise<VerificationRecord> {
  return (await parts.verifications.latest(runId))!;
}

const versionsOf = (inputs: readonly InputBinding[]): string[] =>
  inputs.flatMap((input) => input.versions.map(({ version }) => version));

const LINE = `
name: line
paths: { raw: raw, model: model }
tasks:
  fetch: { run: "true", writes: [raw] }
  train: { run: "true", reads: [raw], writes: [model] }`;

async function aRun(): Promise<string> {
  const id = await world.run('line');
  await write('fetch', { 'a.csv': '1' });
  await write('train', { 'model.json': '{"w":1}', 'notes.txt': 'x' });
  return id;
}

describe('a run that is executed again', () => {
  test('is reproducible when every file is the same; nothing is published, and what it wrote is read by its own tasks', async () => {
    await open({}, LINE);
    const id = await aRun();
    const before = await world.db.query('select location, version from path_pointer order by location');
    const begun = await verify(id);
    expect(begun).toMatchObject({ verdict: null, actor: 'ann', runId: id });
    await write('fetch', { 'a.csv': '1' });
    const { reads } = world.executor.find('train');
    expect(versionsOf(reads)).toEqual([`line/raw/v${Number(world.executor.find('train').attemptId) - 1}`]);
    await write('train', { 'model.json': '{"w":1}', 'notes.txt': 'x' });
    const { result, verdict: found } = await verdict(id);
    expect([found, result?.detail]).toEqual(['reproducible', 'All 3 files are the same.']);
    expect(await world.db.query('select location, version from path_pointer order by location')).toEqual(before);
    expect(await world.runs('line')).toEqual(['manual success', 'verification success']);
    expect(await finishVerifications(parts)).toBe(0);
    const rerun = { mode: 'all', release: 'same', actor: 'ann' } as const;
    await expect(world.commands.rerun(begun.shadowRunId!, rerun)).rejects.toThrow('publishes nothing');
    await expect(requestVerification(parts, begun.shadowRunId!, { actor: 'ann', sampled: false })).rejects.toThrow(
      `Run ${begun.shadowRunId} is itself a verification run`,
    );
    expect(discarded).toEqual([begun.shadowRunId]);
  });

  test('drifts when a file differs: the first task and its first file are named, and all files are listed', async () => {
    await open({}, LINE);
    const id = await aRun();
    await verify(id);
    await write('fetch', { 'a.csv': 'now 12:00', 'b.csv': 'more' });
    await write('train', { 'model.json': '{"w":2}' });
    const { result } = await verdict(id);
    expect(result).toMatchObject({ verdict: 'drifted', files: 4, drifted: 4 });
    expect(result?.detail).toBe('The first difference is in task fetch: raw/a.csv differs. 4 of 4 files differ.');
    expect(result?.drifts.map(({ taskId, output, file, change }) => `${taskId} ${output}/${file} ${change}`)).toEqual([
      'fetch raw/a.csv changed',
      'fetch raw/b.csv added',
      'train model/model.json changed',
      'train model/notes.txt removed',
    ]);
  });

  test('drifts when a task fails that succeeded; when it is cancelled, nothing can be said', async () => {
    await open({}, LINE);
    const id = await aRun();
    await verify(id);
    await write('fetch', { 'a.csv': '1' });
    await world.end('train', FAILURE);
    expect((await verdict(id)).result?.detail).toBe(
      'The first difference is task train: it ended success then, and failed now.',
    );
    const { shadowRunId } = await verify(id);
    await world.commands.cancel(shadowRunId!, 'ann');
    await world.tick();
    const { result } = await verdict(id);
    expect([result?.verdict, result?.detail]).toEqual([
      'not_comparable',
      `Run ${shadowRunId}, which executed it again, was cancelled.`,
    ]);
  });

  test('alerts nobody when it fails, and is not what the next run is measured against', async () => {
    await open({ environment: 'alerts: { email: [a@example.com] }' }, LINE);
    const id = await aRun();
    await verify(id);
    await world.end('fetch', FAILURE);
    await verdict(id);
    expect(await world.db.query('select event from alert_delivery')).toEqual([]);
  });

  test('sees the trigger of then: a condition on it holds again', async () => {
    await open({}, LINE.replace('train: {', 'train: { if: run.trigger == "manual",'));
    const id = await aRun();
    await verify(id);
    await write('fetch', { 'a.csv': '1' });
    await write('train', { 'model.json': '{"w":1}', 'notes.txt': 'x' });
    expect((await verdict(id)).verdict).toBe('reproducible');
  });

  test('survives that its process dies, and names what executed it in another version', async () => {
    await open({}, LINE);
    const id = await aRun();
    await parts.verifications.recordTools('process-1', { bash: '5.1', node: 'v20', platform: 'linux x64' });
    await parts.verifications.recordTools('process-2', { bash: '5.2', node: 'v22', platform: 'linux x64' });
    await verify(id);
    await write('fetch', { 'a.csv': '1' });
    await world.restart();
    await write('train', { 'model.json': '{"w":1}', 'notes.txt': 'x' });
    expect((await verdict(id)).result).toMatchObject({
      verdict: 'reproducible',
      detail: 'All 3 files are the same. Executed by other versions: bash 5.1 then and 5.1, 5.2 now.',
      tools: [{ tool: 'bash', before: '5.1', after: '5.1, 5.2' }],
    });
  });

  test('is executed as a whole when it is a rerun: what it took over is written again, too', async () => {
    await open({}, LINE);
    const failed = await world.run('line');
    await write('fetch', { 'a.csv': '1' });
    await world.end('train', FAILURE);
    const id = await world.commands.rerun(failed, { mode: 'failed', release: 'same', actor: 'ann' });
    await world.tick();
    await write('train', { 'model.json': '2' });
    await verify(id);
    await write('fetch', { 'a.csv': '1' });
    const [read] = versionsOf(world.executor.find('train').reads);
    expect(read).toBe([...stored.keys()].at(-1));
    await write('train', { 'model.json': '2' });
    expect((await verdict(id)).result?.detail).toBe('All 2 files are the same.');
  });

  test('keeps each part of a fan-out apart', async () => {
    await open(
      {},
      LINE.replace('train: {', 'train: { matrix: { lr: [1, 2] },').replace(
        'writes: [model] }',
        'writes: [model] }\n  pick: { run: "true", reads: [model] }',
      ),
    );
    const id = await world.run('line');
    await write('fetch', { 'a.csv': '1' });
    await write('train[lr=1]', { m: '1' });
    await write('train[lr=2]', { m: '2' });
    await world.end('pick');
    await verify(id);
    await write('fetch', { 'a.csv': '1' });
    await write('train[lr=2]', { m: 'other' });
    await write('train[lr=1]', { m: '1' });
    const { versions } = world.executor.find('pick').reads[0]!;
    expect(versions.map(({ link }) => link)).toEqual(['lr=1', 'lr=2']);
    expect(versions.map(({ version }) => stored.get(version)?.m)).toEqual(['1', 'other']);
    await world.end('pick');
    expect((await verdict(id)).result?.detail).toBe(
      'The first difference is in task train[lr=2]: model/m differs. 1 of 3 files differ.',
    );
  });

  test('asked for twice at once, is executed once', async () => {
    await open({}, LINE);
    const id = await aRun();
    const asked = { actor: 'ann', sampled: false };
    const ids = await Promise.all([1, 2, 3].map(() => requestVerification(parts, id, asked)));
    expect(new Set(ids).size).toBe(1);
    expect(await world.runs('line')).toEqual(['manual success', 'verification queued']);
  });
});

describe('inputs of a run that is executed again', () => {
  const ingest = `
name: ingest
schedule: { cron: "0 0 * * *", start: 2026-01-01, catchup: true }
max_active_runs: 1
paths: { raw: { at: raw, partition: ds }, sum: { at: sum, partition: ds } }
tasks:
  fetch: { run: "true", writes: [raw] }
  add: { run: "true", reads: [{ path: raw, last: 3d }], writes: [sum] }`;

  test('are those of then, although newer ones were published since; its own are written again', async () => {
    await open({ at: '2026-01-03T00:00:00Z' }, ingest);
    await world.tick();
    for (const day of ['1', '2']) {
      await write('fetch', { day });
      await write('add', { day });
    }
    const [first, second] = await world.db.query<{ id: string }[]>('select id::text from run order by id');
    const then = versionsOf(
      world.executor.accepted.findLast(({ runId, taskId }) => runId === second!.id && taskId === 'add')!.reads,
    );
    // The first day is fetched once more: its pointer moves on.
    await world.run('ingest', { at: '2026-01-01T00:00:00Z' });
    await write('fetch', { day: 'other' });
    await write('add', { day: 'other' });
    await verify(second!.id);
    await write('fetch', { day: '2' });
    const now = versionsOf(world.executor.find('add').reads);
    expect(now[0]).toBe(then[0]);
    expect(now[1]).not.toBe(then[1]);
    expect(now[1]).toMatch(/^ingest\/raw\/ds=2026-01-02\//);
    await write('add', { day: '2' });
    expect((await verdict(second!.id)).verdict).toBe('reproducible');

    stored.delete(then[0]!);
    const { result, shadowRunId } = await verify(second!.id);
    expect([result?.verdict, result?.detail, shadowRunId]).toEqual([
      'not_comparable',
      `An input of task add is gone: ingest/raw/ds=2026-01-01, version ${then[0]}.`,
      null,
    ]);
    expect(first).toBeDefined();
  });

  test('of tasks that use secrets or the network are what they wrote then: such tasks are not executed again', async () => {
    const text = LINE.replace('fetch: {', 'fetch: { secrets: [DSN],');
    await open(
      { environment: 'secrets: { DSN: { env: DSN } }' },
      text,
      LINE.replaceAll('line', 'web').replaceAll('run: "true"', 'run: "true", network: true'),
    );
    const id = await aRun();
    await verify(id);
    expect(world.executor.names()).toEqual(['train']);
    expect(versionsOf(world.executor.find('train').reads)[0]).toMatch(/^line\/raw\//);
    await write('train', { 'model.json': '{"w":1}', 'notes.txt': 'x' });
    const { result } = await verdict(id);
    expect([result?.verdict, result?.detail]).toEqual([
      'reproducible',
      'All 2 files are the same. Not compared: fetch (uses secrets).',
    ]);
    const web = await world.run('web');
    await write('fetch', { a: '1' });
    await write('train', { a: '1' });
    expect((await verify(web)).result).toMatchObject({
      verdict: 'not_comparable',
      detail: 'No task could be executed again: fetch uses the network.',
    });
  });
});

test('numbers within the tolerance of their task are close, other differences are not', async () => {
  await open({}, LINE.replace('train: {', 'train: { verify: { tolerance: 1e-6 },'));
  const id = await aRun();
  await verify(id);
  await write('fetch', { 'a.csv': '1' });
  await write('train', { 'model.json': '{"w":1.0000001}', 'notes.txt': 'x' });
  expect((await verdict(id)).result?.detail).toBe('All 3 files are the same (train within the tolerance).');
  await verify(id);
  await write('fetch', { 'a.csv': '1.0000000001' });
  await write('train', { 'model.json': '{"w":1.1}', 'notes.txt': 'x' });
  expect((await verdict(id)).result?.drifts.map(({ file }) => file)).toEqual(['a.csv', 'model.json']);
});

test.each([
  ['failed', async () => world.end('fetch', FAILURE), /is failed; only a run that succeeded/],
  ['running', async () => undefined, /is running; only a run that succeeded/],
])('a run that is %s cannot be verified', async (_state, go, message) => {
  await open({}, LINE);
  const id = await world.run('line');
  await go();
  await expect(requestVerification(parts, id, { actor: 'ann', sampled: false })).rejects.toThrow(message);
});

describe('runs chosen by chance', () => {
  const daily = `
name: daily
schedule: { cron: "0 0 * * *", start: 2026-01-01, end: 2026-01-01, catchup: true }
paths: { out: out }
tasks: { a: { run: "true", writes: [out] } }`;
  const environment =
    'alerts: { email: { to: [ops@example.com], smtp: "smtp://localhost" } }\nverify_sample: { every: 1d, runs: 2 }';

  test('are verified once in the time that the environment file says, and tell of a drift', async () => {
    await open({ environment }, daily);
    await world.tick();
    expect(await sampleVerifications(parts)).toEqual([]);
    await write('a', { x: '1' });
    const [chosen] = await sampleVerifications(parts);
    expect(chosen).toBeDefined();
    expect(await sampleVerifications(parts)).toEqual([]);
    await world.tick();
    await write('a', { x: '2' });
    expect(await verdict(chosen!)).toMatchObject({ verdict: 'drifted', sampled: true, actor: 'Sluice' });
    const alerts = await world.db.query<{ event: string; target: string; title: string; detail: string }[]>(
      `select event, target, message ->> 'title' as title, message #>> '{details,0,value}' as detail from alert_delivery`,
    );
    expect(alerts).toEqual([
      {
        event: 'run.drifted',
        target: 'email:ops@example.com',
        title: `Run ${chosen} wrote something else when it was executed again`,
        detail: 'The first difference is in task a: out/x differs. 1 of 1 files differ.',
      },
    ]);
  });
});
