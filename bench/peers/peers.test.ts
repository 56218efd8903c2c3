import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEffects, problemsOf } from './effects.ts';
import { boundSeconds, figuresOf, gaps } from './figures.ts';
import type { Repeat } from './measure.ts';
import { PEERS } from './peers.ts';
import { killService, nowMs, signal } from './processes.ts';
import type { PeerResult, WorkloadResult } from './results.ts';
import { peersTables } from './table.ts';
import { tollOf } from './toll.ts';
import { taskRuns, workload, WORKLOADS, type Workload } from './workloads.ts';

const FULL: Record<string, number> = {
  W1N: 900,
  W1S: 900,
  W2: 40,
  W3: 10,
  'W4-1': 400,
  'W4-2': 400,
  'W4-10': 400,
  W5: 3000,
  W6: 10_000,
  W7N: 5002,
  W7S: 5002,
  W8: 1000,
  W9: 300,
  W10: 500,
  W12: 1488,
  W7K: 502,
  W12K: 495,
};

describe('the peers', () => {
  const pinned = (file: string) => readFileSync(path.join(import.meta.dirname, 'pinned', file), 'utf8');

  test.each(PEERS.filter(({ from }) => from === 'PyPI').map(({ name, version }) => [name, version]))(
    '%s of PyPI is pinned to the version that is told, and so is all that it needs',
    (name, version) => {
      const lines = pinned(`${name}.txt`).trimEnd().split('\n');
      expect(lines.filter((line) => !/^[\w.-]+==[\w.+!-]+$/.test(line))).toEqual([]);
      expect(lines).toContain(`${name === 'airflow' ? 'apache-airflow' : name}==${version}`);
    },
  );

  test.each(PEERS.filter(({ from }) => from === 'npm').map(({ name, version }) => [name, version]))(
    '%s of npm is pinned to the version that is told',
    (name, version) => {
      const { dependencies } = JSON.parse(pinned(`${name}/package.json`)) as { dependencies: Record<string, string> };
      expect(Object.values(dependencies)).toContain(version);
      expect(pinned(`${name}/package-lock.json`)).not.toContain('"resolved"');
    },
  );

  test('an adapter is short enough to be read before its figures are believed', () => {
    const folder = path.join(import.meta.dirname, 'adapters');
    const long = readdirSync(folder).filter(
      (name) => readFileSync(path.join(folder, name), 'utf8').split('\n').length > 150,
    );
    expect(long).toEqual([]);
  });
});

describe('the workloads', () => {
  test.each(WORKLOADS)(
    '%s has its full size, and in every size each task needs tasks of its own pipeline that stand before it',
    (name) => {
      expect(taskRuns(workload(name, Infinity))).toBe(FULL[name]);
      for (const most of [Infinity, 300, 1]) {
        const { pipelines, rounds, warmUp, backlog = [] } = workload(name, most);
        const names = pipelines.map((pipeline) => pipeline.name);
        expect(new Set(names).size).toBe(names.length);
        for (const runs of [...rounds, ...warmUp].map((one) => one.runs).concat([backlog]))
          expect(names).toEqual(expect.arrayContaining([...runs]));
        for (const { tasks } of pipelines) {
          const before = new Set<string>();
          for (const { id, needs } of tasks) {
            expect(needs.filter((need) => !before.has(need))).toEqual([]);
            before.add(id);
          }
          expect(before.size).toBe(tasks.length);
        }
      }
    },
  );

  test('the largest size that asks for no more task runs than allowed is taken, and its part of the full size is told', () => {
    expect(workload('W6', 10_000).scale).toBe(1);
    expect(workload('W6', 2500).scale).toBe(0.2);
    expect(taskRuns(workload('W6', 2500))).toBe(2000);
    expect(workload('W6', 1).scale).toBe(0.01);
  });

  test('a dense layer needs all of the layer before', () => {
    const [dense] = workload('W8', Infinity).pipelines;
    expect(dense?.tasks.reduce((edges, { needs }) => edges + needs.length, 0)).toBe(90_000);
  });
});

const diamond: Workload = {
  ...workload('W7N', 1),
  pipelines: [{ ...small('diamond'), tasks: tasksOf('first', 'each_0', 'each_1', 'last') }],
};

function small(name: string) {
  return { name, shape: { kind: 'graph' } } as const;
}

function tasksOf(...ids: string[]) {
  const needs: Record<string, string[]> = { each_0: ['first'], each_1: ['first'], last: ['each_0', 'each_1'] };
  return ids.map((id) => ({ id, needs: needs[id] ?? [], kind: 'noop', n: 0 }) as const);
}

/** Lines of one run, by task from when to when in ms. */
function lines(run: string, times: Record<string, [number, number]>): string {
  return Object.entries(times)
    .map(([task, [start, end]]) => `engine,${run},${task},1,${start * 1e6},${end * 1e6},77\n`)
    .join('');
}

const RIGHT = { first: [0, 1], each_0: [3, 5], each_1: [4, 5], last: [7, 8] } satisfies Record<
  string,
  [number, number]
>;
const round = { label: 'all', runs: ['diamond'] };
const problems = (text: string) => problemsOf(diamond.pipelines, round, parseEffects(text, 0));

describe('the file of effects', () => {
  test('has lines of the monotonic clock, and of bash, whose clock is translated', () => {
    const [python, bash] = parseEffects(
      'e,p#1,a,1,2000000,3500000,9\ne,p#1,b,2,r1000.004000,r1000.005000,10\n',
      999_000,
    );
    expect(python).toEqual({ engine: 'e', run: 'p#1', task: 'a', tryNumber: 1, startMs: 2, endMs: 3.5, pid: 9 });
    expect(bash).toMatchObject({ tryNumber: 2, startMs: expect.closeTo(1004, 6), endMs: expect.closeTo(1005, 6) });
  });

  test('a line that was torn is refused', () => {
    expect(() => parseEffects('e,p#1,a,1,2000000,35\n', 0)).toThrow('a broken line of effects');
    expect(() => parseEffects('e,p#1,a,1,,5,7e,p#1\n', 0)).toThrow('a broken line of effects');
  });

  test('of tasks that ran once and in order has no problem', () => {
    expect(problems(lines('diamond#x', RIGHT))).toEqual([]);
  });

  test.each([
    [
      'a task that did not run',
      lines('diamond#x', { ...RIGHT, last: [7, 8] }).replace(/.*each_1.*\n/, ''),
      'diamond#x: each_1 ran 0 times',
    ],
    [
      'a task that ran twice',
      lines('diamond#x', RIGHT) + lines('diamond#x', { each_1: [4, 5] }),
      'diamond#x: each_1 ran 2 times',
    ],
    [
      'a task that began too early',
      lines('diamond#x', { ...RIGHT, last: [4.5, 8] }),
      'diamond#x: last began before each_0 had ended',
    ],
    ['a task that nobody knows', lines('diamond#x', { ...RIGHT, other: [9, 9] }), 'diamond#x: no task other'],
    [
      'a run too many',
      lines('diamond#x', RIGHT) + lines('diamond#y', RIGHT),
      'diamond: 2 runs left lines, 1 were asked for',
    ],
    ['no run', '', 'diamond: 0 runs left lines, 1 were asked for'],
    ['a run of another pipeline', lines('diamond#x', RIGHT) + lines('other#1', RIGHT), 'other#1: no such pipeline'],
  ])('shows %s', (_, text, problem) => {
    expect(problems(text)).toContain(problem);
  });
});

describe('the figures', () => {
  const measured = {
    ...round,
    askedMs: -2,
    endedMs: 10,
    effects: parseEffects(lines('diamond#x', RIGHT), 0),
    problems: [],
    begun: [],
    kills: [],
  };

  test('a gap is from the end of the last that was needed to the start', () => {
    expect(gaps(diamond.pipelines, measured)).toEqual([2, 3, 2]);
  });

  test('of a diamond: children a second, the first child, the whole', () => {
    expect(figuresOf(diamond, [measured])).toEqual({
      'children started': 2 / 0.003,
      'first child after': 2,
      wall: 0.012,
    });
  });

  test('nothing is faster than the critical path or the work that the slots share', () => {
    const sleeping = {
      ...diamond,
      pipelines: [
        {
          ...small('p'),
          tasks: tasksOf('first', 'each_0', 'each_1', 'last').map(
            (task) => ({ ...task, kind: 'sleep', n: 1 }) as const,
          ),
        },
      ],
    };
    expect(boundSeconds({ ...sleeping, parallelism: 4 }, 'p')).toBe(3);
    expect(boundSeconds({ ...sleeping, parallelism: 1 }, 'p')).toBe(4);
  });
});

describe('the toll of kills', () => {
  const ofKills = (begun: string, ended: string, kills: number[]) =>
    tollOf(
      tasksOf('first', 'each_0', 'each_1', 'last'),
      parseEffects(begun, 0),
      parseEffects(ended, 0),
      kills.map((atMs) => ({ whom: 'worker', atMs })),
    );
  /** A line of a body that begins, and that of its end when it gets there, in ms. */
  const begins = (task: string, start: number) => lines('diamond#x', { [task]: [start, start] });
  const ends = (task: string, start: number) => lines('diamond#x', { [task]: [start, start + 50] });

  test('a body that a kill cut short and that began once more is neither lost nor doubled', () => {
    const begun = [
      ['first', 0],
      ['each_0', 1000],
      ['each_1', 1010],
      ['each_0', 3000],
      ['last', 4000],
    ] as const;
    const text = begun.map(([task, start]) => begins(task, start)).join('');
    const ended = [ends('first', 0), ends('each_1', 1010), ends('each_0', 3000), ends('last', 4000)].join('');
    expect(ofKills(text, ended, [1020])).toEqual({
      ...{ lost: 0, doubled: 0, cutShort: 1 },
      ...{ nextAfter: [1.98], againAfter: [1.98] },
    });
  });

  test('a body that got to its end and is begun and ended once more is doubled, also under another name of the run', () => {
    const again = lines('diamond#y', { first: [2000, 2050] });
    const rest = [ends('each_0', 100), ends('each_1', 100), ends('last', 200)].join('');
    expect(ofKills('', ends('first', 0) + rest + again, [])).toMatchObject({ lost: 0, doubled: 1, cutShort: 0 });
  });

  test('what never got to its end is lost, and has no time of recovery', () => {
    expect(ofKills(begins('first', 0) + begins('each_0', 900), ends('first', 0), [1000])).toEqual({
      ...{ lost: 3, doubled: 0, cutShort: 1 },
      ...{ nextAfter: [NaN], againAfter: [NaN] },
    });
  });

  test('each kill has its own time: until a task begins, and until the last that it cut short begins again', () => {
    const starts = [
      ['first', 0],
      ['each_0', 100],
      ['each_1', 1100],
      ['each_0', 1200],
      ['each_1', 5000],
    ] as const;
    const begun = starts.map(([task, start]) => begins(task, start)).join('');
    const ended = [ends('first', 0), ends('each_0', 1200), ends('each_1', 5000)].join('');
    expect(ofKills(begun, ended, [1000, 1150])).toMatchObject({
      cutShort: 2,
      nextAfter: [0.1, 0.05],
      againAfter: [0.2, 3.85],
    });
  });

  test('a kill that cut nothing short has nothing to begin again', () => {
    expect(
      ofKills(begins('first', 0) + begins('each_0', 600), ends('first', 0) + ends('each_0', 600), [500]),
    ).toMatchObject({
      ...{ cutShort: 0, nextAfter: [0.1], againAfter: [0] },
    });
  });
});

test('a service is killed with all that it started, but for what is spared', async () => {
  const script = `sleep 1000 & setsid bash -c 'echo $$; exec sleep 1000 >&-' & wait`;
  const service = spawn('bash', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(service, 'close');
  const [text] = (await once(service.stdout, 'data')) as [Buffer];
  const spared = Number(text.toString());
  const before = nowMs();
  expect(await killService(service.pid ?? 0, [spared])).toBeGreaterThanOrEqual(before);
  // Its output closes when the first sleep, which has it too, is gone.
  expect(await ended).toEqual([null, 'SIGKILL']);
  expect(readFileSync(`/proc/${spared}/cmdline`, 'utf8')).toContain('sleep');
  signal(spared);
});

describe('the tables', () => {
  const repeat = (value: number, more: Partial<Repeat> = {}): Repeat => ({
    figures: { 'task runs': value },
    seconds: 1,
    cpuSeconds: 2,
    peakMiB: 100,
    floorMs: [2, 2.1],
    load: 1,
    problems: [],
    ...more,
  });
  const of = (peer: string, isolation: PeerResult['isolation'], measured: Partial<WorkloadResult>): PeerResult => ({
    ...{
      peer,
      settings: 'defaults',
      version: '1',
      isolation,
      durability: 'all',
      how: 'so',
      machine: 'm',
      measuredAt: 'd',
    },
    ...{ installMiB: 5, readyMs: 1500, firstRunMs: 12 },
    workloads: { W6: { title: 't', scale: 0.1, taskRuns: 1000, parallelism: 4, repeats: [], ...measured } },
  });

  test('engines stand in the order of their rank, the median of repeats in which the machine held still counts', () => {
    const text = peersTables([
      of('slow', 'same process', { repeats: [repeat(10), repeat(30), repeat(20), repeat(9000, { floorMs: [2, 3] })] }),
      of('fast', 'warm process', { repeats: [repeat(40)] }),
      of('broken', 'new process', { failure: 'no answer within 60 s: time-out\nlong' }),
      of('wrong', 'new process', { repeats: [repeat(1, { figures: {}, problems: ['p#1: t0 ran 2 times'] })] }),
    ]);
    const rows = text.slice(text.indexOf('**W6**')).split('\n').slice(4);
    expect(rows).toEqual([
      '| new process | 1 | fast | 40 | 2 ms | 100 MiB | × 0.1 | 1 | 1 |',
      '| new process | 2 | slow | 20 (10–30) | 2 ms | 100 MiB | × 0.1 | 3 | 1 |',
      '| new process | – | broken | failed: no answer within 60 s: time-out |',
      '| new process | – | wrong | failed: p#1: t0 ran 2 times |',
    ]);
    expect(text).toContain('| dagu | – | not measured: ');
  });

  test('what lost nothing stands before what is quicker, and CPU of which a part was killed is not told', () => {
    const killed = (peer: string, lost: number, makespan: number): PeerResult => ({
      ...of(peer, 'new process', {}),
      workloads: {
        W12K: {
          ...{ title: 't', scale: 1, taskRuns: 495, parallelism: 16 },
          repeats: [repeat(0, { figures: { lost, 'makespan / bound': makespan }, cpuSeconds: null })],
        },
      },
    });
    const text = peersTables([killed('slow', 0, 9), killed('loses', 1, 2), killed('fast', 0, 3)]);
    const rows = text.slice(text.indexOf('**W12K**')).split('\n').slice(4, 7);
    expect(rows.map((row) => row.split(' | ').slice(1, 5))).toEqual([
      ['1', 'fast', '0', '3'],
      ['2', 'slow', '0', '9'],
      ['3', 'loses', '1', '2'],
    ]);
    expect(rows[0]).toContain('| – | 100 MiB | full | 1 | 1 |');
  });

  test('without a steady repeat the others are shown, with a mark', () => {
    expect(peersTables([of('one', 'new process', { repeats: [repeat(7, { floorMs: [2, 3] })] })])).toContain(
      '| 7 | 2 ms | 100 MiB | × 0.1 | 1 † | 1 |',
    );
  });
});
