import type { MetricSeries } from '#contracts';

/** Several series on one x axis, ready to draw. */
export interface Aligned {
  /** `interval`: start of the data interval; `time`: when the run ended, used when some run has no interval. */
  readonly axis: 'interval' | 'time';
  /** Seconds since the epoch, ascending, unique. */
  readonly xs: readonly number[];
  readonly series: readonly { readonly label: string; readonly ys: readonly (number | null)[] }[];
  /** The run behind each x (of the newest point there). */
  readonly runs: readonly string[];
  readonly releases: readonly string[];
  /** Where the release differs from the one at the x before. */
  readonly changes: readonly { readonly x: number; readonly release: string }[];
}

/** Of several values at one x (a rerun of the same interval) the one of the newest run counts. */
export function alignSeries(series: readonly MetricSeries[]): Aligned {
  const points = series.flatMap((one) => one.points);
  const axis = points.length > 0 && points.every((point) => point.intervalStart !== null) ? 'interval' : 'time';
  const xOf = (point: MetricSeries['points'][number]) =>
    Date.parse(axis === 'interval' ? (point.intervalStart ?? point.at) : point.at) / 1000;

  const newest = new Map<number, MetricSeries['points'][number]>();
  for (const point of points) {
    const x = xOf(point);
    const known = newest.get(x);
    if (known === undefined || known.at <= point.at) newest.set(x, point);
  }
  const xs = [...newest.keys()].sort((a, b) => a - b);
  const index = new Map(xs.map((x, at) => [x, at]));
  const aligned = series.map((one) => {
    const ys: (number | null)[] = new Array<number | null>(xs.length).fill(null);
    const at = new Map<number, string>();
    for (const point of one.points) {
      const place = index.get(xOf(point));
      if (place === undefined || (at.get(place) ?? '') > point.at) continue;
      at.set(place, point.at);
      ys[place] = point.value;
    }
    return { label: one.mapKey === '' ? one.name : one.mapKey, ys };
  });
  const releases = xs.map((x) => newest.get(x)?.release ?? '');
  return {
    axis,
    xs,
    series: aligned,
    runs: xs.map((x) => newest.get(x)?.runId ?? ''),
    releases,
    changes: xs.flatMap((x, at) =>
      at > 0 && releases[at] !== releases[at - 1] ? [{ x, release: releases[at] ?? '' }] : [],
    ),
  };
}

/** One chart per task and metric, its map keys being the lines; in the order they came. */
export function groupSeries(
  series: readonly MetricSeries[],
): { readonly task: string; readonly name: string; readonly series: readonly MetricSeries[] }[] {
  const groups = new Map<string, MetricSeries[]>();
  for (const one of series) {
    const key = `${one.task} ${one.name}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map((list) => ({
    task: list[0]?.task ?? '',
    name: list[0]?.name ?? '',
    series: [...list].sort((a, b) => a.mapKey.localeCompare(b.mapKey, 'en', { numeric: true })),
  }));
}
