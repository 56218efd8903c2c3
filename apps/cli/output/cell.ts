import { cleanLine } from './clean-text.ts';
import { stateMark } from './state-mark.ts';
import type { Style } from './style.ts';
import { durationText, intervalText, isoInstant, relativeTime } from './time.ts';

/** One value of a table; the tagged kinds are written differently for people and for programs. */
export type Cell =
  | string
  | number
  | null
  | { readonly kind: 'instant'; readonly at: string | null }
  | { readonly kind: 'duration'; readonly ms: number | null }
  | { readonly kind: 'interval'; readonly interval: { readonly start: string; readonly end: string } | null }
  | { readonly kind: 'state'; readonly state: string }
  /** Marks for people, words for programs. */
  | { readonly kind: 'marks'; readonly text: string; readonly paint: (style: Style) => string; readonly plain: string };

/** Text and how to colour it after it was cut to its column. */
export interface RenderedCell {
  readonly text: string;
  readonly paint: (text: string) => string;
}

/** For a terminal: relative times, short intervals, a symbol and colour beside the state's word. */
export function cellForPeople(cell: Cell, style: Style, now: Date): RenderedCell {
  const plain = (text: string): RenderedCell => ({ text, paint: (shown) => shown });
  if (cell === null || typeof cell !== 'object') return plain(cellForPrograms(cell) || '-');
  switch (cell.kind) {
    case 'instant':
      return plain(cell.at === null ? '-' : relativeTime(cell.at, now));
    case 'duration':
      return plain(cell.ms === null ? '-' : durationText(cell.ms));
    case 'interval':
      return plain(cell.interval === null ? '-' : intervalText(cell.interval));
    case 'marks':
      return { text: cell.text, paint: (shown) => (shown === cell.text ? cell.paint(style) : shown) };
    case 'state': {
      const text = stateMark(cell.state, NO_STYLE);
      return { text, paint: (shown) => (shown === text ? stateMark(cell.state, style) : shown) };
    }
  }
}

/** For pipes and CSV: ISO 8601 instants and intervals, seconds, bare words; empty when there is no value. */
export function cellForPrograms(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  if (typeof cell === 'string') return cleanLine(cell);
  switch (cell.kind) {
    case 'instant':
      return cell.at === null ? '' : isoInstant(cell.at);
    case 'duration':
      return cell.ms === null ? '' : String(cell.ms / 1000);
    case 'interval':
      return cell.interval === null ? '' : `${isoInstant(cell.interval.start)}/${isoInstant(cell.interval.end)}`;
    case 'state':
      return cell.state;
    case 'marks':
      return cell.plain;
  }
}

const NO_STYLE = new Proxy({} as Style, { get: () => (text: string) => text });
