import type { AlertMessage } from '#core';
import { cleanLine, shorten } from './clean-text.ts';

export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** What every alert says about its run, then the message's own details; empty values and repeated labels are left out. */
export function alertFacts(message: AlertMessage): readonly Fact[] {
  const { interval } = message;
  const isPromotion = subjectOf(message) === 'promotion';
  const facts: Fact[] = [
    { label: 'Pipeline', value: isPromotion ? '' : message.pipeline },
    { label: 'Environment', value: message.environment },
    { label: 'Owner', value: message.owner },
    { label: 'Interval', value: interval === null ? '' : describeInterval(interval.start, interval.end) },
    { label: 'Release', value: shortRelease(message.release) },
    { label: isPromotion ? 'Promotion' : 'Run', value: message.runId },
    ...message.details,
  ];
  const seen = new Set<string>();
  const cleaned: Fact[] = [];
  for (const fact of facts) {
    const label = shorten(cleanLine(fact.label), 60);
    const value = shorten(cleanLine(fact.value), 400);
    const key = label.toLowerCase();
    if (label === '' || value === '' || seen.has(key)) continue;
    seen.add(key);
    cleaned.push({ label, value });
  }
  return cleaned;
}

/** What an alert is about. */
export function subjectOf({ event }: Pick<AlertMessage, 'event'>): 'run' | 'promotion' {
  return event.startsWith('promotion.') ? 'promotion' : 'run';
}

/** `2026-01-01 → 2026-01-02 UTC` for whole days, else with the time. Text that is no instant stays as it is. */
export function describeInterval(start: string, end: string): string {
  const [from, to] = [new Date(start), new Date(end)];
  if (Number.isNaN(from.getTime()) || Number.isNaN(to.getTime())) return `${start} → ${end}`;
  const wholeDays = [from, to].every((instant) => instant.getTime() % 86_400_000 === 0);
  const [a, b] = [from, to].map((instant) =>
    instant
      .toISOString()
      .slice(0, wholeDays ? 10 : 16)
      .replace('T', ' '),
  );
  return `${a} → ${b} UTC`;
}

/** `2026-01-01 06:30 UTC`. */
export function describeInstant(instant: string): string {
  const at = new Date(instant);
  return Number.isNaN(at.getTime()) ? instant : `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function shortRelease(digest: string): string {
  const [, hex] = /^(?:sha256:)?([0-9a-f]{12})[0-9a-f]{20,}$/.exec(digest) ?? [];
  return hex ?? digest;
}
