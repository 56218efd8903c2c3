import { ShellCommand } from './shell-command.ts';

/** Where an expression stands: `bare` and `double` (quotes) can be replaced, the others cannot. */
export type ShellPlace =
  | 'bare'
  | 'double'
  | 'single'
  | 'ansi'
  | 'backtick'
  | 'comment'
  | 'heredoc'
  | 'brace'
  | 'arithmetic'
  | 'escaped'
  | 'code'
  | 'name'
  | 'unclosed';

interface Span {
  readonly offset: number;
  readonly end: number;
}

/** The place of each span, in order. Knows as much of bash's grammar as it takes to tell them apart. */
export function placesInShell(text: string, spans: readonly Span[]): ShellPlace[] {
  return new ShellLexer(text, spans).run();
}

type Frame =
  | { readonly kind: 'commands'; readonly closer: ')' | ''; readonly command: ShellCommand; cases: number }
  | { readonly kind: 'double' }
  | { readonly kind: 'brace' }
  | { readonly kind: 'arithmetic'; depth: number; readonly closer: '))' | ']' }
  | { readonly kind: 'backtick' };

class ShellLexer {
  readonly #text: string;
  readonly #spans: readonly Span[];
  readonly #places: ShellPlace[];
  readonly #frames: Frame[] = [];
  readonly #heredocs: { delimiter: string; tabs: boolean }[] = [];
  #at = 0;
  #next = 0;

  constructor(text: string, spans: readonly Span[]) {
    this.#text = text;
    this.#spans = spans;
    this.#places = spans.map(() => 'unclosed');
    this.#open('');
  }

  run(): ShellPlace[] {
    while (this.#at < this.#text.length) this.#advance();
    for (const frame of this.#frames) if (frame.kind === 'commands') frame.command.end();
    const isOpen = this.#frames.some((frame) => frame.kind !== 'commands');
    return isOpen
      ? this.#places.map((place) => (place === 'bare' || place === 'double' ? 'unclosed' : place))
      : this.#places;
  }

  get #frame(): Frame {
    const frame = this.#frames.at(-1);
    if (frame === undefined) throw new Error('the outermost frame is never closed');
    return frame;
  }

  /** The command that the current place belongs to. */
  get #command(): ShellCommand {
    const frame = this.#frames.findLast((candidate) => candidate.kind === 'commands');
    if (frame?.kind !== 'commands') throw new Error('the outermost frame holds commands');
    return frame.command;
  }

  #open(closer: ')' | ''): void {
    this.#frames.push({ kind: 'commands', closer, command: new ShellCommand(), cases: 0 });
  }

  #startsWith(sign: string): boolean {
    return this.#text.startsWith(sign, this.#at);
  }

  #isSpan(offset: number): boolean {
    return this.#spans[this.#next]?.offset === offset;
  }

  #advance(): void {
    if (this.#isSpan(this.#at)) return this.#span();
    const frame = this.#frame;
    if (this.#text[this.#at] === '\\' && frame.kind !== 'arithmetic') return this.#backslash();
    switch (frame.kind) {
      case 'commands':
        return this.#inCommands(frame);
      case 'double':
        return this.#inDouble();
      case 'brace':
        return this.#inBrace();
      case 'arithmetic':
        return this.#inArithmetic(frame);
      case 'backtick':
        if (this.#text[this.#at] === '`') this.#frames.pop();
        this.#at += 1;
    }
  }

  /** Takes the expression that begins here. */
  #span(forced?: ShellPlace): void {
    const index = this.#next;
    const span = this.#spans[index];
    if (span === undefined) return;
    const kind = this.#frame.kind;
    const place: ShellPlace = forced ?? (kind === 'commands' ? 'bare' : kind);
    this.#places[index] = place;
    if (place === 'bare' || place === 'double') {
      if (this.#text[this.#at - 1] === '$') this.#places[index] = 'escaped';
      else this.#command.expression(place, (worse) => (this.#places[index] = worse));
    }
    this.#next += 1;
    this.#at = span.end;
  }

  #backslash(): void {
    this.#at += 1;
    if (this.#isSpan(this.#at)) return this.#span('escaped');
    if (this.#text[this.#at] !== '\n') this.#command.text(this.#text.slice(this.#at, this.#at + 1));
    this.#at += 1;
  }

  /** Skips to behind `closer`; expressions on the way stand in `place`. */
  #skip(closer: string, place: ShellPlace, escapes: boolean): void {
    const from = this.#at;
    while (this.#at < this.#text.length) {
      if (this.#isSpan(this.#at)) this.#span(place);
      else if (escapes && this.#text[this.#at] === '\\') this.#at += 2;
      else if (this.#startsWith(closer)) {
        this.#command.text(this.#text.slice(from, this.#at));
        this.#at += closer.length;
        return;
      } else this.#at += 1;
    }
    if (closer !== '\n') this.#frames.push({ kind: 'double' });
  }

  /** `$…`, backticks and quotes mean the same in commands, double quotes and braces. True if one was taken. */
  #expansion(): boolean {
    if (this.#startsWith('$((')) return this.#enter(3, { kind: 'arithmetic', depth: 0, closer: '))' });
    if (this.#startsWith('$[')) return this.#enter(2, { kind: 'arithmetic', depth: 0, closer: ']' });
    if (this.#startsWith('$(')) {
      this.#at += 2;
      this.#open(')');
      return true;
    }
    if (this.#startsWith('${')) return this.#enter(2, { kind: 'brace' });
    if (this.#startsWith('`')) return this.#enter(1, { kind: 'backtick' });
    return false;
  }

  #enter(length: number, frame: Frame): boolean {
    this.#at += length;
    this.#frames.push(frame);
    return true;
  }

  #inDouble(): void {
    if (this.#expansion()) return;
    const character = this.#text.charAt(this.#at);
    if (character === '"') this.#frames.pop();
    else this.#command.text(character);
    this.#at += 1;
  }

  #inBrace(): void {
    if (this.#expansion()) return;
    const character = this.#text.charAt(this.#at);
    this.#at += 1;
    if (character === '}') this.#frames.pop();
    else if (character === "'") this.#skip("'", 'single', false);
    else if (character === '"') this.#skip('"', 'brace', true);
  }

  #inArithmetic(frame: Extract<Frame, { kind: 'arithmetic' }>): void {
    if (frame.depth === 0 && this.#startsWith(frame.closer)) {
      this.#frames.pop();
      this.#at += frame.closer.length;
      return;
    }
    const character = this.#text.charAt(this.#at);
    if (character === '(' || character === '[') frame.depth += 1;
    else if ((character === ')' || character === ']') && frame.depth > 0) frame.depth -= 1;
    this.#at += 1;
  }

  #inCommands(frame: Extract<Frame, { kind: 'commands' }>): void {
    const { command } = frame;
    const character = this.#text.charAt(this.#at);
    if (this.#startsWith("$'")) return void ((this.#at += 2), this.#skip("'", 'ansi', true));
    if (this.#startsWith('$"')) return void this.#enter(2, { kind: 'double' });
    if (this.#expansion()) return command.text('$');
    if (character === '"') return void (command.text(''), this.#enter(1, { kind: 'double' }));
    if (character === "'") return void ((this.#at += 1), command.text(''), this.#skip("'", 'single', false));
    if (character === '#' && command.atWordStart) return (this.#skip('\n', 'comment', false), this.#newline(command));
    if (this.#startsWith('<<<')) return void ((this.#at += 3), command.endWord());
    if (this.#startsWith('<<')) return this.#heredoc();
    if (this.#startsWith('<(') || this.#startsWith('>(')) return void ((this.#at += 2), this.#open(')'));
    if (this.#startsWith('((') && command.atStart)
      return void this.#enter(2, { kind: 'arithmetic', depth: 0, closer: '))' });
    this.#at += 1;
    if (character === '\n') this.#newline(command);
    else if (character === ' ' || character === '\t') frame.cases += command.endWord();
    else if (character === '(') this.#open(')');
    else if (character === ')') this.#parenthesis(frame);
    else if (';&|'.includes(character)) frame.cases += command.end();
    else command.text(character);
  }

  #parenthesis(frame: Extract<Frame, { kind: 'commands' }>): void {
    frame.cases += frame.command.end();
    // `a)` of a `case` closes nothing.
    if (frame.closer === ')' && frame.cases <= 0) this.#frames.pop();
  }

  #heredoc(): void {
    this.#at += 2;
    const tabs = this.#text[this.#at] === '-';
    const match = /^-?[ \t]*(?:'([^'\n]*)'|"([^"\n]*)"|\\?([^\s;&|<>()]+))/.exec(
      this.#text.slice(this.#at, this.#at + 200),
    );
    if (match === null) return;
    this.#heredocs.push({ delimiter: match[1] ?? match[2] ?? match[3] ?? '', tabs });
    this.#at += match[0].length;
  }

  #newline(command: ShellCommand): void {
    const frame = this.#frames.findLast((candidate) => candidate.kind === 'commands');
    const change = command.end();
    if (frame?.kind === 'commands') frame.cases += change;
    for (const { delimiter, tabs } of this.#heredocs.splice(0)) this.#heredocBody(delimiter, tabs);
  }

  #heredocBody(delimiter: string, tabs: boolean): void {
    while (this.#at < this.#text.length) {
      const lineEnd = this.#text.indexOf('\n', this.#at);
      const end = lineEnd < 0 ? this.#text.length : lineEnd;
      const line = this.#text.slice(this.#at, end);
      while (this.#next < this.#spans.length && (this.#spans[this.#next]?.offset ?? Infinity) < end) {
        this.#places[this.#next] = 'heredoc';
        this.#next += 1;
      }
      this.#at = Math.max(end + 1, this.#spans[this.#next - 1]?.end ?? 0);
      if ((tabs ? line.replace(/^\t+/, '') : line) === delimiter) return;
    }
  }
}
