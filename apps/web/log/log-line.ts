import Anser from 'anser';

/** A piece of a line in one style. Colours are CSS values. */
export interface Span {
  readonly text: string;
  readonly color?: string;
  readonly background?: string;
  readonly bold?: boolean;
  readonly faint?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly strike?: boolean;
}

export type Level = 'error' | 'warn' | 'info' | 'debug';

/** Operating system commands (titles, links), device strings and the like: from ESC to BEL or ST. */
const STRINGS = /\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|[\x90\x98\x9d-\x9f][^\x07\x9c\x1b]*(?:\x07|\x9c|\x1b\\|$)/g;
/** Every control sequence but colours (SGR, ending in `m`): cursor moves, clearing, modes. */
const MOVES = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-ln-~]/g;
const PRIVATE_SGR = /\x1b\[[<-?][0-?]*[ -/]*m/g;
const OTHER_ESCAPES = /\x1b(?!\[)[ -/]*[0-~]?/g;
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]/g;
const COLOURS = /\x1b\[[0-9;:]*m/g;
const BROKEN = /\x1b/g;
/** Characters that reorder text, so that what is read differs from what is there. Shown instead of obeyed. */
const REORDER = /[\u202a-\u202e\u2066-\u2069]/g;

/** The line without anything that could act on a terminal or a page; colours stay. A carriage return starts the line over. */
export function cleanLine(text: string): string {
  const last = text.replace(/\r+$/, '');
  return last
    .slice(last.lastIndexOf('\r') + 1)
    .replace(STRINGS, '')
    .replace(MOVES, '')
    .replace(PRIVATE_SGR, '')
    .replace(OTHER_ESCAPES, '')
    .replace(CONTROLS, '')
    .replace(REORDER, '\ufffd');
}

/** The words alone: for levels, for searching, for copying. */
export function plainLine(text: string): string {
  return cleanLine(text).replace(COLOURS, '').replace(BROKEN, '');
}

/** Styled pieces of a line; at most `limit` characters of it. */
export function lineSpans(text: string, limit = Infinity): Span[] {
  const clean = cleanLine(text);
  if (!clean.includes('\x1b')) return clean === '' ? [] : [{ text: clean.slice(0, limit) }];
  const spans: Span[] = [];
  let room = limit;
  for (const piece of Anser.ansiToJson(clean, { json: true, use_classes: true, remove_empty: true })) {
    const content = piece.content.replace(BROKEN, '').slice(0, room);
    if (content === '') continue;
    room -= content.length;
    const color = colour(piece.fg, piece.fg_truecolor);
    const background = colour(piece.bg, piece.bg_truecolor);
    const has = (name: Anser.DecorationName) => piece.decorations.includes(name);
    spans.push({
      text: content,
      ...(color === undefined ? {} : { color }),
      ...(background === undefined ? {} : { background }),
      ...(has('bold') ? { bold: true } : {}),
      ...(has('dim') ? { faint: true } : {}),
      ...(has('italic') ? { italic: true } : {}),
      ...(has('underline') ? { underline: true } : {}),
      ...(has('strikethrough') ? { strike: true } : {}),
    });
  }
  return spans;
}

/** The first word that says how bad it is, near the start of the line or as a JSON level. */
export function levelOf(plain: string): Level | null {
  const found = /\b(fatal|critical|panic|error|err|exception|traceback|warning|warn|info|notice|debug|trace)\b/i.exec(
    plain.slice(0, 120),
  )?.[1];
  if (found === undefined) return null;
  const word = found.toLowerCase();
  // Lower-case words in the middle of prose ("0 error rows") are not levels; JSON and prefixes are.
  if (found === word && !new RegExp(`(^|level"?\\s*[:=]\\s*"?|\\[)${word}\\b`).test(plain.slice(0, 120))) return null;
  if (/^(fatal|critical|panic|error|err|exception|traceback)$/.test(word)) return 'error';
  if (/^warn/.test(word)) return 'warn';
  return word === 'debug' || word === 'trace' ? 'debug' : 'info';
}

/** True for the lines by which a task talks to Sluice: `::metric …::`. */
export function isProtocol(plain: string): boolean {
  return /^::(metric|output|progress|group|endgroup|retry-after|summary|notice)\b.*::\s*$/.test(plain);
}

/** Cuts spans at every place where `query` occurs, ignoring case; matches carry `match: true`. */
export function markMatches(spans: readonly Span[], query: string): (Span & { match?: true })[] {
  const wanted = query.toLowerCase();
  if (wanted === '') return [...spans];
  const text = spans.map((span) => span.text).join('');
  const lower = text.toLowerCase();
  // Some letters change their length in lower case; positions would lie then.
  if (lower.length !== text.length) return [...spans];
  const inMatch = new Uint8Array(text.length);
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + wanted.length))
    inMatch.fill(1, at, at + wanted.length);
  const result: (Span & { match?: true })[] = [];
  let offset = 0;
  for (const span of spans) {
    let from = 0;
    while (from < span.text.length) {
      const match = inMatch[offset + from];
      let to = from + 1;
      while (to < span.text.length && inMatch[offset + to] === match) to++;
      result.push({ ...span, text: span.text.slice(from, to), ...(match === 1 ? { match: true as const } : {}) });
      from = to;
    }
    offset += span.text.length;
  }
  return result;
}

/** Names become the theme's colours; 256 and true colours are mixed with the text colour, so that they stay readable in both modes. */
function colour(name: string | null, truecolor: string | null): string | undefined {
  if (name === null) return undefined;
  if (name === 'ansi-truecolor') return readable(`rgb(${(truecolor ?? '').split(', ').map(Number).join(' ')})`);
  const palette = /^ansi-palette-(\d+)$/.exec(name)?.[1];
  if (palette === undefined) return `var(--${name.replace('ansi-bright-', 'ansi-')})`;
  return readable(paletteColour(Number(palette)));
}

function readable(value: string): string {
  return `color-mix(in oklab, ${value} 50%, var(--text))`;
}

/** The 256-colour palette: 6×6×6 cube, then greys. Below 16 anser already names them. */
function paletteColour(index: number): string {
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const cube = index - 16;
  const part = (value: number) => (value === 0 ? 0 : 55 + value * 40);
  return `rgb(${part(Math.floor(cube / 36))} ${part(Math.floor(cube / 6) % 6)} ${part(cube % 6)})`;
}

/** `L120` or `L120-L140` as a range of lines, first to last. */
export function parseLines(hash: string): { from: number; to: number } | null {
  const found = /^#?L(\d{1,9})(?:-L?(\d{1,9}))?$/.exec(hash);
  if (found === null) return null;
  const first = Number(found[1]);
  const last = Number(found[2] ?? found[1]);
  return { from: Math.min(first, last), to: Math.max(first, last) };
}

export function formatLines(from: number, to: number): string {
  return from === to ? `L${from}` : `L${Math.min(from, to)}-L${Math.max(from, to)}`;
}
