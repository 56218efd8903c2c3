import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { CompiledPipeline } from '#core';
import { compilePipelines, intervalsBetween, parseEnvironment, type Interval } from '#dag';
import { splitDays } from '../../dags/flights/split.ts';

const DAY_MS = 86_400_000;
const NAMES = ['flight-delays', 'delay-model', 'delay-scores'];

let pipelines: Record<string, CompiledPipeline>;
beforeAll(async () => {
  const names = await readdir('dags', { recursive: true });
  const files = await Promise.all(
    NAMES.map(async (name) => ({ file: `${name}.yaml`, text: await readFile(`dags/${name}.yaml`, 'utf8') })),
  );
  const compiled = compilePipelines(files, new Set(names));
  expect([...compiled.problems]).toEqual([]);
  pipelines = Object.fromEntries(compiled.pipelines.map((pipeline) => [pipeline.name, pipeline]));
});

test.each(['dev', 'test', 'prod'])(
  'environment %s is valid, with its own storage and the flights at hand',
  async (name) => {
    const text = await readFile(`environments/${name}.yaml`, 'utf8');
    const { environment, problems } = parseEnvironment(`environments/${name}.yaml`, text, resolve('.'));
    expect(problems).toEqual([]);
    expect(environment).toMatchObject({
      name,
      storage: `file://${resolve('.sluice/storage', name)}`,
      schedules: name === 'test' ? 'paused' : 'active',
      data: { flights: resolve('node_modules/vega-datasets/data') },
    });
  },
);

test.each(['dev', 'test', 'prod'])('the alerts that environment %s proposes in a comment are valid', async (name) => {
  const text = await readFile(`environments/${name}.yaml`, 'utf8');
  const proposed = text.replaceAll(/^# (alerts:|  \w)/gm, '$1');
  expect(proposed).not.toBe(text);
  const { environment, problems } = parseEnvironment(`environments/${name}.yaml`, proposed, resolve('.'));
  expect(problems).toEqual([]);
  expect(environment?.alerts.slack?.token).toEqual({ env: 'SLACK_BOT_TOKEN' });
});

describe('no look into the future', () => {
  test('a model is judged on days that its own window covers', () => {
    const windowDays = windowMs('delay-model', 'prepare', 'examples') / DAY_MS;
    for (const { end } of intervals('delay-model')) {
      const split = splitDays(day(end), '2000-01-01', 28);
      expect(split.fit.from).toBe(day(new Date(end.getTime() - windowDays * DAY_MS)));
    }
    expect(intervals('delay-model')).toHaveLength(25);
  });

  test('every day is scored with exactly one model, and the model has seen nothing of that day', () => {
    const windowMsOfModel = windowMs('delay-scores', 'score', 'model');
    for (const { start, end } of intervals('delay-scores')) {
      const weeks = intervalsBetween(
        pipelines['delay-model']!.schedule,
        start,
        new Date(end.getTime() - windowMsOfModel),
        end,
        100,
      ).filter((week) => week.end <= end);
      expect(weeks).toHaveLength(1);
      expect(splitDays(day(weeks[0]!.end), '2000-01-01', 28).evaluate.to <= day(start)).toBe(true);
    }
    expect(intervals('delay-scores')).toHaveLength(167);
  });
});

function intervals(name: string): Interval[] {
  const { schedule } = pipelines[name]!;
  return intervalsBetween(schedule, new Date(0), new Date('2001-01-01'), new Date('2001-07-02'), 1_000);
}

function windowMs(name: string, task: string, alias: string): number {
  const reads = pipelines[name]!.tasks.find(({ id }) => id === task)!.reads;
  return reads.find((read) => read.alias === alias)!.lastMs!;
}

function day(instant: Date): string {
  return instant.toISOString().slice(0, 10);
}
