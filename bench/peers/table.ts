import { median } from '../quantile.ts';
import { type FigureKind, figureKinds } from './figures.ts';
import { isSteady } from './measure.ts';
import { ABSENT, type Isolation, isolationOf, labelOf, PEERS } from './peers.ts';
import type { PeerResult, WorkloadResult } from './results.ts';
import { workload, WORKLOADS, type WorkloadName } from './workloads.ts';

/** What stands around the tables in docs/performance.md. */
export const PEERS_BEGIN = '<!-- peers: written by npm run bench:peers -->';
export const PEERS_END = '<!-- end of peers -->';

const CLASSES: readonly Isolation[] = ['new process', 'warm process', 'same process'];

/** One table of the engines, then one of each workload, in which engines stand in the order of their rank within their class. */
export function peersTables(results: readonly PeerResult[]): string {
  return [engines(results), ...WORKLOADS.map((name) => ofWorkload(name, results)).filter((text) => text !== '')].join(
    '\n\n',
  );
}

function engines(results: readonly PeerResult[]): string {
  const rows = results.map((result) => {
    const { version, isolation, durability, how, installMiB, readyMs, firstRunMs } = result;
    const cells = [
      `${nameOf(result)} ${version}`,
      isolation,
      how,
      durability,
      installMiB === null ? '–' : `${Math.round(installMiB)} MiB`,
      readyMs === null ? '–' : `${shown(readyMs / 1000)} s`,
      firstRunMs === null ? '–' : `${shown(firstRunMs)} ms`,
    ];
    return row(cells);
  });
  const absent = ABSENT.map(({ name, why }) => row([name, '–', `not measured: ${why}`, '–', '–', '–', '–']));
  return [
    row([
      'engine',
      'bodies run in',
      'how',
      'what is durable',
      'installed',
      'start with an empty database',
      'first run',
    ]),
    '| --- | --- | --- | --- | ---: | ---: | ---: |',
    ...rows,
    ...absent,
  ].join('\n');
}

function ofWorkload(name: WorkloadName, results: readonly PeerResult[]): string {
  const kinds = figureKinds(name);
  const full = workload(name, Infinity);
  const kind = full.pipelines[0]?.tasks[0]?.kind ?? 'noop';
  const rows = CLASSES.flatMap((isolation) => {
    const own = results.filter((result) => isolationOf(result, kind) === isolation && name in result.workloads);
    const ranked = own
      .map((result) => ({ result, measured: result.workloads[name] as WorkloadResult }))
      .sort((a, b) => order(a.measured, b.measured, kinds));
    return ranked.map(({ result, measured }, place) => rowOf(isolation, place + 1, result, measured, kinds));
  });
  const cannot = PEERS.filter(({ cannot }) => cannot?.[name] !== undefined).map((peer) =>
    row(['', '', nameOf({ peer: peer.name, settings: peer.settings }), `cannot be written: ${peer.cannot?.[name]}`]),
  );
  if (rows.length === 0) return '';
  return [
    `**${name}**: ${full.title}; ${full.parallelism} at once`,
    '',
    row([
      'class',
      'rank',
      'engine',
      ...kinds.map((one) => `${one.name}, ${one.unit}`),
      'CPU a task run',
      'peak memory',
      'size',
      'repeats',
      'load',
    ]),
    `| --- | ---: | --- | ${kinds.map(() => '---:').join(' | ')} | ---: | ---: | ---: | ---: | ---: |`,
    ...rows,
    ...cannot,
  ].join('\n');
}

function rowOf(
  isolation: Isolation,
  place: number,
  result: PeerResult,
  measured: WorkloadResult,
  kinds: readonly FigureKind[],
): string {
  const { repeats, scale, taskRuns, failure } = measured;
  const worth = worthOf(measured);
  if (worth.length === 0)
    return row([
      isolation,
      '–',
      nameOf(result),
      `failed: ${oneLine(failure ?? repeats[0]?.problems[0] ?? 'no repeat')}`,
    ]);
  const cells = kinds.map(({ name }) => spread(worth.map(({ figures }) => figures[name] ?? NaN)));
  const wandered = repeats.length > 0 && !repeats.some((one) => isSteady(one)) ? ' †' : '';
  const wrong = repeats.filter(({ problems }) => problems.length > 0).length;
  return row([
    isolation,
    String(place),
    nameOf(result),
    ...cells,
    worth.some(({ cpuSeconds }) => cpuSeconds === null)
      ? '–'
      : `${shown(median(worth.map(({ cpuSeconds }) => (1000 * (cpuSeconds ?? NaN)) / taskRuns)))} ms`,
    `${Math.round(Math.max(...worth.map(({ peakMiB }) => peakMiB)))} MiB`,
    scale === 1 ? 'full' : `× ${scale}`,
    `${worth.length}${wandered}${wrong > 0 ? `, ${wrong} wrong` : ''}`,
    shown(median(worth.map(({ load }) => load))),
  ]);
}

/** Right ones during which the machine held still; where there is none, all that are right. */
function worthOf({ repeats }: WorkloadResult): WorkloadResult['repeats'] {
  const right = repeats.filter(({ problems }) => problems.length === 0);
  const steady = right.filter(isSteady);
  return steady.length > 0 ? steady : right;
}

/** By the first figure, where that is the same by the next. */
function order(a: WorkloadResult, b: WorkloadResult, [kind, ...others]: readonly FigureKind[]): number {
  if (kind === undefined) return 0;
  const value = (result: WorkloadResult): number => {
    const worth = worthOf(result).map(({ figures }) => figures[kind.name] ?? Infinity);
    if (worth.length === 0) return Infinity;
    return kind.better === 'less' ? median(worth) : -median(worth);
  };
  const [ofA, ofB] = [value(a), value(b)];
  return ofA === ofB ? order(a, b, others) : ofA - ofB;
}

function spread(values: readonly number[]): string {
  if (values.some(Number.isNaN)) return '–';
  const middle = shown(median(values));
  return values.length === 1 ? middle : `${middle} (${shown(Math.min(...values))}–${shown(Math.max(...values))})`;
}

function shown(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en');
}

function nameOf({ peer, settings }: Pick<PeerResult, 'peer' | 'settings'>): string {
  const name = labelOf({ name: peer, settings: 'defaults' });
  return `${name.startsWith('sluice') ? `**${name}**` : name}${settings === 'tuned' ? ', tuned' : ''}`;
}

function oneLine(text: string): string {
  return (text.split('\n')[0] ?? '').replaceAll('|', '/').slice(0, 160);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
