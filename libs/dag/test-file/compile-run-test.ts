import type { CompiledPipeline } from '#core';
import { msOf } from '../compile/retries.ts';
import { resolveParams } from '../resolve-params.ts';
import type { TestExpectation, TestShape } from '../shape/test-shape.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import { intervalAt, type Interval } from '../time/intervals.ts';
import { checkExpectation } from './check-expectation.ts';
import { compileEvent } from './compile-event.ts';
import { compileGiven } from './compile-given.ts';
import { instantIn } from './instants.ts';
import type { CompilingTest } from './parse-tests.ts';
import type { ExpectedLook, RunTest, TestedTry } from './pipeline-test.ts';
import { checkTaskRef, taskIdOf } from './task-ref.ts';
import { testedTry } from './tested-tries.ts';

/** Kinds of which nothing is executed. */
const WAITS: readonly string[] = ['wait', 'approve', 'call'];

export function compileRunTest(test: TestShape, within: CompilingTest): RunTest | null {
  const { compiling, path, pipeline, environment } = within;
  const interval = test.at === undefined ? null : intervalOf(test.at, within);
  const given = compileEvent(test, within);
  const params = resolveParams(pipeline, environment, given ?? {});
  if (!params.ok && given !== null)
    for (const problem of params.problems) {
      const own = Object.keys(test.params ?? {}).find((name) => problem.includes(quote(name)));
      const place = own === undefined ? path : [...path, 'params', own];
      const at = test.event === undefined ? place : [...path, 'event'];
      compiling.atKey(at, problem, 'The pipeline says under `params:` what it takes.');
    }
  const looks = looksOf(test, path);
  if (looks.every(({ expect }) => Object.keys(expect).length === 0) && test.golden !== true)
    compiling.atKey(path, 'The test expects nothing.', 'Add `expect:`, `meanwhile:` or `golden: true`.');
  for (const look of looks) checkExpectation(look, within);
  for (const task of Object.keys(test.baseline ?? {})) checkTaskRef(task, [...path, 'baseline', task], within);
  checkData(test, within);
  return {
    kind: 'run',
    params: params.ok ? params.params : {},
    trigger: test.event !== undefined ? 'event' : interval === null ? 'manual' : 'schedule',
    interval,
    afterFailure: test.after_failure ?? false,
    given: compileGiven(test, interval, within),
    baseline: test.baseline ?? {},
    data: test.data ?? {},
    outcomes: outcomesOf(test, within),
    cancelAfterMs: test.cancel_after === undefined ? null : msOf(test.cancel_after),
    looks,
    golden: test.golden ?? false,
  };
}

function intervalOf(text: string, { compiling, path, pipeline }: CompilingTest): Interval | null {
  const { schedule } = pipeline;
  const place = [...path, 'at'];
  const at = instantIn(schedule, text, place, compiling);
  const interval = at === null ? null : intervalAt(schedule, at, at);
  if (at !== null && interval === null)
    compiling.at(
      place,
      `Pipeline ${quote(pipeline.name)} has no interval that holds ${quote(text)}.`,
      schedule.kind === 'manual' ? 'Remove `at`: it has no schedule.' : 'Choose an instant between its start and end.',
    );
  return interval;
}

function looksOf({ meanwhile, expect }: TestShape, path: Path): ExpectedLook[] {
  const during = (meanwhile ?? []).map(({ after, ...rest }, index) => ({
    afterMs: msOf(after),
    expect: rest as TestExpectation,
    path: ['meanwhile', index] as Path,
  }));
  const end = expect === undefined ? [] : [{ afterMs: null, expect, path: ['expect'] }];
  return [...during.sort((a, b) => a.afterMs - b.afterMs), ...end].map((look) => ({
    ...look,
    path: [...path.slice(2), ...look.path],
  }));
}

function outcomesOf({ tasks }: TestShape, within: CompilingTest): Map<string, readonly TestedTry[]> {
  const { compiling, path, pipeline } = within;
  const outcomes = new Map<string, readonly TestedTry[]>();
  for (const [ref, shape] of Object.entries(tasks ?? {})) {
    const place = [...path, 'tasks', ref];
    checkTaskRef(ref, place, within);
    const task = pipeline.tasks.find(({ id }) => id === taskIdOf(ref));
    const tries = (Array.isArray(shape) ? shape : [shape]).flatMap((one, index): TestedTry[] => {
      const at = Array.isArray(shape) ? [...place, index] : place;
      const tested = testedTry(one);
      if (tested === null)
        compiling.at(
          at,
          'The state and the exit code of this outcome contradict each other.',
          'Give one of them; retry_after goes with exit 75.',
        );
      else if (tested.kind === 'real' && task !== undefined && WAITS.includes(task.body.kind))
        compiling.at(at, `Task ${quote(task.id)} waits; nothing of it is executed.`, 'Say how long it `takes`.');
      else if (tested.kind === 'real' && task !== undefined && task.secrets.length > 0)
        compiling.at(
          at,
          `Task ${quote(task.id)} needs the secret ${task.secrets.join(', ')}, and tests have none.`,
          'Mock it: give its state, outputs and metrics.',
        );
      else if (tested.kind === 'mocked' && task !== undefined)
        checkWrites(tested.writes, task, [...at, 'writes'], within);
      return tested === null ? [] : [tested];
    });
    outcomes.set(ref, tries);
  }
  return outcomes;
}

function checkWrites(
  writes: Readonly<Record<string, unknown>>,
  { id, writes: known }: CompiledPipeline['tasks'][number],
  path: Path,
  { compiling }: CompilingTest,
): void {
  for (const name of Object.keys(writes))
    if (!known.includes(name))
      compiling.atKey(
        [...path, name],
        `Task ${quote(id)} does not write ${quote(name)}.`,
        didYouMean(name, known, known.length === 0 ? 'It writes nothing.' : `It writes ${known.join(', ')}.`),
      );
}

function checkData({ data }: TestShape, { compiling, path, project }: CompilingTest): void {
  for (const [name, folder] of Object.entries(data ?? {}))
    if (![...project.files].some((file) => file.startsWith(`${folder}/`)))
      compiling.at(
        [...path, 'data', name],
        `There is no folder ${quote(folder)} with files below dags/.`,
        'Name it from dags/ on, without a slash at its end.',
      );
}
