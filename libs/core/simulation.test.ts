import { expect, test } from '@jest/globals';
import { randomRun } from '../testing/random-run.ts';
import { firstOf, itemOf, type TaskState } from '#core';
import { allTerminal, type RunSimulator } from '../testing/simulate-run.ts';

/*
 * Random pipelines against the reference model. A failure names the seed and the options; `randomRun` with both replays it.
 * SLUICE_SEEDS runs more of them, SLUICE_FIRST_SEED others.
 */
const SEEDS = Number(process.env.SLUICE_SEEDS ?? 10_000);
const FIRST = Number(process.env.SLUICE_FIRST_SEED ?? 1);

function* seeds(share: number): Generator<number> {
  for (let seed = FIRST; seed < FIRST + SEEDS * share; seed++) yield seed;
}

/** What ended as a whole before the items of its group were known did so in each of them. */
function statesOf(run: RunSimulator): Record<string, TaskState> {
  const states = run.states();
  for (const { members } of run.options.graph.groups) {
    const tasks = new Map(
      members.map((member) => [run.options.graph.tasks[member]!.id, run.options.graph.tasks[member]!]),
    );
    const rows = [...run.rows.values()].filter(({ taskId }) => tasks.has(taskId));
    const size = Math.max(1, ...rows.map(({ taskId, mapIndex }) => itemOf(tasks.get(taskId)!, mapIndex) + 1));
    for (const { taskId, mapKey, state } of rows)
      for (let item = 0; item < size && mapKey === ''; item++)
        states[`${taskId}/${firstOf(tasks.get(taskId)!, item)}`] = state;
  }
  return Object.fromEntries(Object.entries(states).sort());
}

test('random pipelines of up to 60 tasks decide as the reference says, in every order, with takeovers, waits and full pools', () => {
  for (const seed of seeds(0.6)) {
    const run = randomRun(seed, { tasks: 60, takeovers: seed % 2 === 0 });
    if (!allTerminal(run)) throw new Error(`seed ${seed}: something is open after the end`);
  }
});

test('losing the cache at any moment changes no result', () => {
  for (const seed of seeds(0.2)) {
    const [whole, broken] = [false, true].map((takeovers) => randomRun(seed, { tasks: 30, takeovers, settled: true }));
    expect({ seed, states: statesOf(broken!), end: broken!.ended }).toEqual({
      ...{ seed, states: statesOf(whole!), end: whole!.ended },
    });
  }
});

test('a run may be stopped at any moment and ends cancelled, with nothing left open', () => {
  for (const seed of seeds(0.2)) {
    const run = randomRun(seed, { tasks: 60, takeovers: seed % 2 === 0, stop: true });
    expect({ seed, terminal: allTerminal(run) }).toEqual({ seed, terminal: true });
  }
});

test('tasks, task runs and the run may be marked at any moment: nothing of them begins any more, and the last mark of the run is its verdict', () => {
  for (const seed of seeds(0.1)) {
    const run = randomRun(seed, { tasks: 30, takeovers: seed % 2 === 0, marks: true });
    expect({ seed, terminal: allTerminal(run) }).toEqual({ seed, terminal: true });
  }
});
