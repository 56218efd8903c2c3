import { ALERT_EVENTS, type AlertEvent, type AlertMessage } from '#core';
import { cleanLine, safeUrl, shorten } from './clean-text.ts';

/** An event that was already told in the same thread; kept in the thread string, because senders keep nothing. */
export interface PastEvent {
  readonly event: AlertEvent;
  readonly title: string;
  readonly at: string;
  readonly runUrl: string;
}

const KEPT = 6;

/** `past` with this message's event behind it: the first one and the newest ones, at most six. */
export function withEvent(past: readonly PastEvent[], message: AlertMessage): readonly PastEvent[] {
  const entry: PastEvent = {
    event: message.event,
    title: shorten(cleanLine(message.title), 200),
    at: message.at,
    runUrl: safeUrl(message.runUrl, 500) ?? '',
  };
  const all = [...past, entry];
  return all.length <= KEPT ? all : [...all.slice(0, 1), ...all.slice(1 - KEPT)];
}

function isPastEvent(value: unknown): value is PastEvent {
  if (typeof value !== 'object' || value === null) return false;
  const { event, title, at, runUrl } = value as Record<string, unknown>;
  return (
    (ALERT_EVENTS as readonly unknown[]).includes(event) &&
    typeof title === 'string' &&
    typeof at === 'string' &&
    typeof runUrl === 'string'
  );
}

/** Past events out of a parsed thread string; anything else in it is dropped. */
export function pastEvents(value: unknown): readonly PastEvent[] {
  return Array.isArray(value) ? value.filter(isPastEvent) : [];
}

/** The object that a thread string holds; empty for text that is not ours. */
export function threadFields(text: string | null): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(text ?? 'null') as Record<string, unknown> | null) ?? {};
  } catch {
    return {};
  }
}
