import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import * as shapes from '#contracts';
import { createTestDatabase } from '#testing';
import { aRun, anAttempt, aTaskRun, NOW, seededReads, type SeededReads } from './seeded-reads.ts';

let seeded: SeededReads;
beforeAll(async () => {
  seeded = await seededReads(await createTestDatabase());
});
afterEach(() => seeded.clear());
afterAll(() => seeded.close());

describe('a task run', () => {
  test('tells its attempts, command, inputs and what it published', async () => {
    const runId = await aRun(seeded);
    await aTaskRun(seeded, runId, 'ingest', 'success', {
      number: 2,
      outputs: { rows: 3 },
      summary: '# done',
      inputs: [
        { name: 'x', variable: 'PATH_X', versions: [{ link: null, location: 'l', version: 'v', manifestHash: 'm' }] },
      ],
    });
    await anAttempt(seeded, runId, 'ingest', 1, 'failed', { exit_code: 3, message: 'exit code 3', log_lines: 7 });
    await anAttempt(seeded, runId, 'ingest', 2, 'success', { exit_code: 0 });
    const about = {
      environment: 'dev',
      pipeline: 'churn',
      task_id: 'ingest',
      map_index: 0,
      map_key: '',
      run_id: runId,
      release: 'r1',
    };
    for (const [number, value] of [
      [1, 0.4],
      [2, 0.9],
    ])
      await seeded.insert('metric', { ...about, name: 'auc', value, at: NOW, number, counted: number === 2 });
    await seeded.insert('path_version', {
      ...about,
      ...{ version: 'v1', location: 'churn/raw/ds=2026-01-01', path: 'raw', attempt_id: 2, fence: 2 },
      ...{ manifest_hash: 'abc', files: 1, bytes: 10, published_at: NOW },
    });
    const detail = shapes.taskRunDetail.parse(await seeded.reads.taskRun({ runId, taskId: 'ingest', mapIndex: 0 }));
    expect(
      detail.attempts.map(({ number, state, exitCode, metrics }) => [number, state, exitCode, metrics[0]?.value]),
    ).toEqual([
      [1, 'failed', 3, 0.4],
      [2, 'success', 0, 0.9],
    ]);
    expect(detail.command).toContain('$PATH_RAW/x');
    expect(detail.env).toMatchObject({ DS: '2026-01-01', PARAM_SAMPLE: '1', SLUICE_TRY: '2', SLUICE_RUN_ID: runId });
    expect(detail.inputs).toEqual([
      { name: 'x', versions: [{ environment: 'dev', location: 'l', version: 'v', manifestHash: 'm' }] },
    ]);
    expect(detail.published).toEqual([
      { name: 'raw', location: 'churn/raw/ds=2026-01-01', version: 'v1', manifestHash: 'abc', files: 1, bytes: 10 },
    ]);
    expect([detail.outputs, detail.summary]).toEqual([{ rows: 3 }, '# done']);
  });

  test('one that was taken over shows the attempts and the log of the run that executed it', async () => {
    const origin = await aRun(seeded, { state: 'failed' });
    await aTaskRun(seeded, origin, 'ingest', 'success', { number: 1 });
    await anAttempt(seeded, origin, 'ingest', 1, 'success', { log_lines: 5 });
    const runId = await aRun(seeded, { trigger: 'rerun', origin_run: origin });
    await aTaskRun(seeded, runId, 'ingest', 'success', { number: 1, origin_run: origin });
    const detail = await seeded.reads.taskRun({ runId, taskId: 'ingest', mapIndex: 0 });
    expect([detail.originRun, detail.attempts.length]).toEqual([origin, 1]);
    const page = shapes.logPage
      .strict()
      .parse(await seeded.reads.log({ runId, taskId: 'ingest', mapIndex: 0, number: null }, { fromLine: 1, limit: 9 }));
    expect(JSON.parse(page.lines[0]?.text ?? '')).toEqual({ runId: origin, taskId: 'ingest', mapIndex: 0, number: 1 });
    expect(page.total).toBe(5);
  });

  test('one that was not tried yet has an empty log; a try that does not exist is not found', async () => {
    const runId = await aRun(seeded);
    const key = { runId, taskId: 'ingest', mapIndex: 0 };
    expect(await seeded.reads.log({ ...key, number: null }, { fromLine: 1, limit: 9 })).toEqual({
      lines: [],
      nextLine: 1,
      complete: false,
    });
    await aTaskRun(seeded, runId, 'ingest', 'success', { number: 1 });
    await anAttempt(seeded, runId, 'ingest', 1, 'success');
    await expect(seeded.reads.log({ ...key, number: 2 }, { fromLine: 1, limit: 9 })).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(seeded.reads.taskRun({ ...key, taskId: 'nope' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(seeded.reads.taskRun({ ...key, mapIndex: 7 })).rejects.toMatchObject({ code: 'not_found' });
  });
});

test('the executed notebook is that of an attempt, and missing where none was kept', async () => {
  const runId = await aRun(seeded);
  const key = { runId, taskId: 'ingest', mapIndex: 0, number: null };
  await expect(seeded.reads.notebook(key)).rejects.toMatchObject({ code: 'not_found' });
  await aTaskRun(seeded, runId, 'ingest', 'running', { number: 2 });
  await anAttempt(seeded, runId, 'ingest', 1, 'failed');
  await anAttempt(seeded, runId, 'ingest', 2, 'running');
  expect((await seeded.reads.notebook({ ...key, number: 1 })).toString()).toBe('{"cells": []}');
  await expect(seeded.reads.notebook(key)).rejects.toMatchObject({
    code: 'not_found',
    message: `Task run ${runId}/ingest[0] has no executed notebook.`,
  });
});

describe('the tail of a log', () => {
  test('waits for the first try, and ends when the attempt has and nothing comes any more, although nobody closed the log', async () => {
    const runId = await aRun(seeded);
    const lines: string[] = [];
    const key = { runId, taskId: 'ingest', mapIndex: 0, number: null };
    const told = new Promise<void>((resolve) => {
      void seeded.reads
        .followLog(
          key,
          1,
          (more) => {
            lines.push(...more.map((line) => line.text));
            resolve();
          },
          new AbortController().signal,
        )
        .then(() => lines.push('end'));
    });
    await aTaskRun(seeded, runId, 'ingest', 'running', { number: 1 });
    await anAttempt(seeded, runId, 'ingest', 1, 'running');
    await told;
    expect(lines).toEqual(['hello']);
    await seeded.db.query(`update attempt set state = 'lost', finished_at = now()`);
    // Longer than the looks that are its end when nothing comes.
    for (const until = performance.now() + 2_000; performance.now() < until;) {
      for (const listener of seeded.logListeners) listener([{ n: 2, at: 2, stream: 'out', text: 'still read' }]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([lines.length > 1, lines.includes('end')]).toEqual([true, false]);
    while (!lines.includes('end')) await new Promise((resolve) => setImmediate(resolve));
    expect([lines[0], lines.at(-1), new Set(lines).size]).toEqual(['hello', 'end', 3]);
  });

  test('ends at once when there will be no try, and when the listener goes', async () => {
    const ended = await aRun(seeded, { state: 'cancelled' });
    const never = { taskId: 'ingest', mapIndex: 0, number: null };
    await seeded.reads.followLog({ ...never, runId: ended }, 1, () => undefined, new AbortController().signal);
    const runId = await aRun(seeded);
    const gone = new AbortController();
    const following = seeded.reads.followLog({ ...never, runId }, 1, () => undefined, gone.signal);
    gone.abort();
    await following;
  });
});
