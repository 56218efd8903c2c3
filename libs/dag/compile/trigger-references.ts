import type { CompiledPipeline, Triggers } from '#core';
import { datasetsOf } from '#core';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import { withOverlay } from '../with-overlay.ts';
import { calledBy, placeOfCall } from './call-references.ts';
import type { Compiling } from './compiling.ts';

/** By name; null: its file has problems, so nothing is known of it. */
type Known = ReadonlyMap<string, CompiledPipeline | null>;

/** A pipeline that is started by others, and where its problems go. */
export interface TriggeredFile {
  readonly pipeline: CompiledPipeline;
  readonly compiling: () => Compiling;
}

/** Reports triggers that name pipelines or paths that do not exist, and rounds of pipelines that start each other. */
export function checkTriggers(files: readonly TriggeredFile[], known: Known): void {
  const triggered = files.filter(({ pipeline }) => schedulesOf(pipeline).length > 0);
  const callers = files.filter(({ pipeline }) => calledBy(pipeline).length > 0);
  const called = new Set(callers.flatMap(({ pipeline }) => calledBy(pipeline)));
  const started = files.filter((file) => triggered.includes(file) || called.has(file.pipeline.name));
  for (const { pipeline, compiling } of triggered)
    for (const { triggers, path } of schedulesOf(pipeline)) checkReferences(triggers, path, known, compiling);
  const environments = new Set(triggered.flatMap(({ pipeline }) => Object.keys(pipeline.environments)));
  const told = new Set<string>();
  // A name that no file has stands for every environment without overlays.
  for (const environment of ['', ...environments])
    for (const round of roundsIn(started, callers, environment)) {
      const key = round.map(({ pipeline }) => pipeline.name).join(' ');
      const [first] = round;
      if (first === undefined || told.has(key)) continue;
      told.add(key);
      const names = [...round, first].map(({ pipeline }) => pipeline.name).join(' → ');
      first
        .compiling()
        .atKey(
          placeOfRound(round, environment),
          `Pipelines start each other in a round: ${names}.`,
          'Start one of them by time, by an event or by hand.',
        );
    }
}

/** In the file of the first: the call of the second, or else what lets others start it. */
function placeOfRound([first, second]: readonly TriggeredFile[], environment: string): Path {
  const next = (second ?? first)?.pipeline.name;
  const call = first?.pipeline.tasks.find(({ body }) => body.kind === 'call' && body.pipeline === next);
  if (first !== undefined && call !== undefined) return placeOfCall(call, first.compiling)();
  return first?.pipeline.schedule.triggers === undefined ? ['environments', environment, 'schedule'] : ['schedule'];
}

function schedulesOf({ schedule, environments }: CompiledPipeline): { triggers: Triggers; path: Path }[] {
  const overlays = Object.entries(environments).map(([name, overlay]) => ({
    triggers: overlay.schedule?.triggers,
    path: ['environments', name, 'schedule'],
  }));
  return [{ triggers: schedule.triggers, path: ['schedule'] }, ...overlays].flatMap(({ triggers, path }) =>
    triggers === undefined ? [] : [{ triggers, path }],
  );
}

function checkReferences({ datasets, after }: Triggers, path: Path, known: Known, compiling: () => Compiling): void {
  for (const { pipeline } of after ?? [])
    if (!known.has(pipeline))
      compiling().at(
        [...path, 'after'],
        `schedule.after names ${quote(pipeline)}, but there is no such pipeline.`,
        didYouMean(pipeline, known.keys(), 'Add its file, or correct the name.'),
      );
  for (const dataset of datasets === undefined ? [] : datasetsOf(datasets.expression)) {
    const fault = datasetFault(dataset, known);
    if (fault !== null) compiling().at([...path, 'datasets'], fault.message, fault.hint);
  }
}

function datasetFault(
  { pipeline, path }: { readonly pipeline: string; readonly path: string },
  known: Known,
): { readonly message: string; readonly hint: string } | null {
  const other = known.get(pipeline);
  const start = `schedule.datasets names ${quote(`${pipeline}.${path}`)}, but`;
  if (other === null) return null;
  if (other === undefined)
    return {
      message: `${start} there is no pipeline ${quote(pipeline)}.`,
      hint: didYouMean(pipeline, known.keys(), 'Add its file, or correct the name.'),
    };
  if (!Object.hasOwn(other.paths, path))
    return {
      message: `${start} ${other.file} declares no such path.`,
      hint: didYouMean(path, Object.keys(other.paths), 'Declare it there under `paths:`.'),
    };
  return null;
}

/** Each begins with the name that comes first. */
function roundsIn(
  files: readonly TriggeredFile[],
  callers: readonly TriggeredFile[],
  environment: string,
): TriggeredFile[][] {
  const byName = new Map(files.map((file) => [file.pipeline.name, file]));
  const startedBy = (file: TriggeredFile): TriggeredFile[] => {
    const { datasets, after } = withOverlay(file.pipeline, environment).schedule.triggers ?? {};
    const sources = [...(datasets === undefined ? [] : datasetsOf(datasets.expression)), ...(after ?? [])];
    const calling = callers.filter(({ pipeline }) => calledBy(pipeline).includes(file.pipeline.name));
    const names = [...sources.map(({ pipeline }) => pipeline), ...calling.map(({ pipeline }) => pipeline.name)];
    return [...new Set(names)].flatMap((name) => byName.get(name) ?? []);
  };
  const rounds: TriggeredFile[][] = [];
  const done = new Set<TriggeredFile>();
  for (const file of files) {
    const trail: { readonly file: TriggeredFile; readonly open: TriggeredFile[] }[] = [];
    const enter = (next: TriggeredFile): void => void trail.push({ file: next, open: startedBy(next) });
    if (!done.has(file)) enter(file);
    for (let last = trail.at(-1); last !== undefined; last = trail.at(-1)) {
      const next = last.open.pop();
      const at = trail.findIndex((each) => each.file === next);
      if (next === undefined) {
        done.add(last.file);
        trail.pop();
      } else if (at >= 0) rounds.push(roundFrom(trail.slice(at).map((each) => each.file)));
      else if (!done.has(next)) enter(next);
    }
  }
  return rounds;
}

/** In the order in which they start each other. */
function roundFrom(trail: readonly TriggeredFile[]): TriggeredFile[] {
  const round = [...trail].reverse();
  const names = round.map(({ pipeline }) => pipeline.name);
  const first = names.indexOf([...names].sort()[0] ?? '');
  return [...round.slice(first), ...round.slice(0, first)];
}
