import type { CompiledPipeline } from '#core';
import { msOf } from '../compile/retries.ts';
import type { GivenShape, TestShape } from '../shape/test-shape.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import { intervalAt, intervalsBetween, type Interval } from '../time/intervals.ts';
import { instantIn } from './instants.ts';
import type { CompilingTest } from './parse-tests.ts';
import type { GivenVersion } from './pipeline-test.ts';

/** More partitions than any window of a test needs. */
const MOST = 10_000;

/** Every version that a test gives its run to read; `own` is the run's interval. */
export function compileGiven(test: TestShape, own: Interval | null, within: CompilingTest): GivenVersion[] {
  return Object.entries(test.given ?? {}).flatMap(([ref, shape]) => {
    const place = [...within.path, 'given', ref];
    const writer = writerOf(ref, place, within);
    if (writer === null) return [];
    return [shape].flat().flatMap((one, index) => {
      const at = Array.isArray(shape) ? [...place, index] : place;
      checkFolder(one, at, within);
      return intervalsOf(one, own, writer.pipeline, at, within).map((interval): GivenVersion => ({
        ...writer,
        interval,
        afterMs: one.after === undefined ? 0 : msOf(one.after),
        files: one.files ?? {},
        folder: one.folder ?? null,
      }));
    });
  });
}

function writerOf(ref: string, place: Path, { compiling, pipeline, project }: CompilingTest) {
  const [first = '', second] = ref.split('.');
  const owner = second === undefined ? pipeline.name : first;
  const path = second ?? first;
  const found = owner === pipeline.name ? pipeline : project.pipelines.find(({ name }) => name === owner);
  if (found === undefined) {
    const all = project.pipelines.map(({ name }) => name);
    compiling.atKey(place, `There is no pipeline ${quote(owner)}.`, didYouMean(owner, all, 'Correct the name.'));
    return null;
  }
  if (Object.hasOwn(found.paths, path)) return { pipeline: found, path };
  const all = Object.keys(found.paths);
  const message = `Pipeline ${quote(owner)} declares no path ${quote(path)}.`;
  compiling.atKey(
    place,
    message,
    didYouMean(path, all, all.length === 0 ? 'It has none.' : `It has ${all.join(', ')}.`),
  );
  return null;
}

function checkFolder({ folder }: GivenShape, place: Path, { compiling, project }: CompilingTest): void {
  if (folder === undefined || project.files.has(folder)) return;
  if ([...project.files].some((file) => file.startsWith(`${folder}/`))) return;
  const hint = didYouMean(folder, project.files, 'Name it from dags/ on, without a slash at its end.');
  compiling.at([...place, 'folder'], `There is no file or folder ${quote(folder)} below dags/.`, hint);
}

function intervalsOf(
  { at, from, to }: GivenShape,
  own: Interval | null,
  { schedule, name }: CompiledPipeline,
  place: Path,
  { compiling }: CompilingTest,
): (Interval | null)[] {
  if ((from === undefined) !== (to === undefined) || (at !== undefined && from !== undefined)) {
    compiling.at(place, 'It is given for `at`, or for `from` and `to`.', 'Give both ends, or one instant.');
    return [];
  }
  if (from !== undefined && to !== undefined) {
    const start = instantIn(schedule, from, [...place, 'from'], compiling);
    const end = instantIn(schedule, to, [...place, 'to'], compiling);
    if (start === null || end === null) return [];
    const found = intervalsBetween(schedule, start, start, end, MOST);
    if (found.length === 0)
      compiling.at([...place, 'from'], `No interval of ${quote(name)} begins between them.`, 'Look at its schedule.');
    return found;
  }
  if (at === undefined) return [own];
  const instant = instantIn(schedule, at, [...place, 'at'], compiling);
  const interval = instant === null ? null : intervalAt(schedule, instant, instant);
  if (instant !== null && interval === null)
    compiling.at(
      [...place, 'at'],
      `Pipeline ${quote(name)} has no interval that holds ${quote(at)}.`,
      'Look at its schedule.',
    );
  return interval === null ? [] : [interval];
}
