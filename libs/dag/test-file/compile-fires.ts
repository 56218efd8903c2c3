import type { TestShape } from '../shape/test-shape.ts';
import { instantIn } from './instants.ts';
import type { CompilingTest } from './parse-tests.ts';
import type { FiresTest } from './pipeline-test.ts';

/** Keys that a test of a schedule may have. */
const ALLOWED = ['pipeline', 'environment', 'vars', 'fires'];

export function compileFires(test: TestShape, { compiling, path, pipeline }: CompilingTest): FiresTest | null {
  const { fires } = test;
  if (fires === undefined) return null;
  const { schedule } = pipeline;
  for (const key of Object.keys(test))
    if (!ALLOWED.includes(key))
      compiling.atKey([...path, key], `A test with fires has no run, so ${key} means nothing.`, 'Write two tests.');
  const below = [...path, 'fires'];
  if (schedule.kind === 'manual')
    compiling.atKey(
      below,
      `Pipeline "${pipeline.name}" is started by hand only.`,
      'Give it a schedule, or remove the test.',
    );
  if (fires.at === undefined && fires.starts === undefined && fires.count === undefined)
    compiling.atKey(below, 'The test expects nothing.', 'Add `at`, `starts` or `count`.');
  const one = (key: 'from' | 'to' | 'activated', text: string) => instantIn(schedule, text, [...below, key], compiling);
  const many = (key: 'at' | 'starts') =>
    fires[key]?.map((text, index) => instantIn(schedule, text, [...below, key, index], compiling)) ?? null;
  const from = one('from', fires.from);
  const to = one('to', fires.to);
  const activated = fires.activated === undefined ? null : one('activated', fires.activated);
  const [at, starts] = [many('at'), many('starts')];
  if (from !== null && to !== null && from >= to)
    compiling.at([...below, 'to'], 'The clock does not move: `to` is not after `from`.', 'Exchange them.');
  if (from === null || to === null) return null;
  const known = (list: (Date | null)[] | null) => list?.filter((instant) => instant !== null) ?? null;
  return { kind: 'fires', from, to, activated, at: known(at), starts: known(starts), count: fires.count ?? null };
}
