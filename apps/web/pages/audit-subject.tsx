import { Link } from '@tanstack/react-router';
import type { AuditRecordShape } from '#contracts';
import { shortDigest } from '../parts/digest.ts';

/** What a record is about, and the way there. */
export function AuditSubject({ record: { subject } }: { record: AuditRecordShape }) {
  const [, kind, id] = /^(promotion|run) (\d+)$/.exec(subject) ?? [];
  if (kind === 'promotion' && id !== undefined)
    return (
      <Link to="/promotions/$promotion" params={{ promotion: id }} className="link">
        {subject}
      </Link>
    );
  if (kind === 'run' && id !== undefined)
    return (
      <Link to="/runs/$run" params={{ run: id }} className="link">
        {subject}
      </Link>
    );
  const digest = /[0-9a-f]{64}/.exec(subject)?.[0];
  if (digest !== undefined)
    return (
      <Link to="/releases/$release" params={{ release: digest }} className="link" title={digest}>
        release <span className="mono">{shortDigest(digest)}</span>
      </Link>
    );
  return <span title={subject}>{subject.length > 40 ? `${subject.slice(0, 39)}…` : subject}</span>;
}

/** What changed in one line: `before → after` first, then everything else that is known. */
export function inShort(detail: Readonly<Record<string, unknown>>): string {
  const { from, to, previous, release, before, after, ...rest } = detail;
  const pairs: readonly (readonly [unknown, unknown])[] = [
    [from, to],
    [previous, release],
    [before, after],
  ];
  const changes = pairs.flatMap(([was, is]) => {
    if (was == null && is == null) return [];
    return [was === undefined || is === undefined ? shown(is ?? was) : `${shown(was)} → ${shown(is)}`];
  });
  const others = Object.entries(rest).flatMap(([name, value]) =>
    value === null || value === '' || value === 0 || value === false ? [] : [`${name}: ${shown(value)}`],
  );
  return [...changes, ...others].join(' · ');
}

function shown(value: unknown): string {
  if (value == null) return 'nothing';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/\b[0-9a-f]{64}\b/g, (digest) => shortDigest(digest));
}
