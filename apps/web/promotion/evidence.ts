import type { ReleaseTests } from '#contracts';

type Evidence = Readonly<Record<string, unknown>>;

export type ShownTests = Omit<ReleaseTests, 'junit'>;

export interface MetricRow {
  readonly name: string;
  readonly candidate: number | null;
  readonly baseline: number | null;
}

/** Metrics of the candidate and of the baseline beside each other, by name. */
export function metricRows(evidence: Evidence): readonly MetricRow[] {
  const candidate = numbersOf(evidence['metrics']);
  const baseline = numbersOf(evidence['baseline']);
  const names = [...new Set([...candidate.keys(), ...baseline.keys()])].sort();
  return names.map((name) => ({
    name,
    candidate: candidate.get(name) ?? null,
    baseline: baseline.get(name) ?? null,
  }));
}

/** `+0.012 (+1.7 %)`; an empty text where there is nothing to compare. */
export function changeOf(candidate: number | null, baseline: number | null): string {
  if (candidate === null || baseline === null) return '';
  const by = candidate - baseline;
  if (by === 0) return 'the same';
  const sign = by > 0 ? '+' : '−';
  const absolute = `${sign}${Number(Math.abs(by).toPrecision(3))}`;
  if (baseline === 0) return absolute;
  const share = Math.abs(by / baseline) * 100;
  return `${absolute} (${sign}${share >= 100 ? Math.round(share) : Number(share.toPrecision(2))} %)`;
}

/** Pipelines and their runs. */
export function runsOf(evidence: Evidence): readonly (readonly [string, string])[] {
  return textsOf(evidence['runs']);
}

/** Environments and when it was verified there. */
export function verifiedIn(evidence: Evidence): readonly (readonly [string, string])[] {
  return textsOf(evidence).filter(([name]) => name !== 'until');
}

/** What was recorded of the release's tests; null: nothing. */
export function testsOf({ passed, failed, seconds, actor, at, buildUrl }: Evidence): ShownTests | null {
  if (typeof passed !== 'number' || typeof failed !== 'number' || typeof seconds !== 'number') return null;
  if (typeof actor !== 'string' || typeof at !== 'string') return null;
  return { passed, failed, seconds, actor, at, buildUrl: typeof buildUrl === 'string' ? buildUrl : null };
}

function textsOf(value: unknown): readonly (readonly [string, string])[] {
  return entriesOf(value).flatMap(([name, one]) => (typeof one === 'string' ? [[name, one] as const] : []));
}

function numbersOf(value: unknown): ReadonlyMap<string, number> {
  return new Map(entriesOf(value).flatMap(([name, one]) => (typeof one === 'number' ? [[name, one] as const] : [])));
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
