import { TypedValue } from './typed-value.ts';

/** Nothing that Airflow writes is nested deeper. */
const DEEPEST = 40;
const WORDS: Readonly<Record<string, unknown>> = { True: true, False: false, None: null };
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/**
 * The value of an argument that Airflow exports as what Python's `repr` shows, because JSON has no form for something in
 * it: another task's output, or what a mapped group gives to its tasks. Undefined: something of it is neither, nor plain.
 */
export function readRepr(text: string): unknown {
  const reader = new ReprReader(text);
  try {
    return reader.whole();
  } catch (error) {
    if (error instanceof Unknown) return undefined;
    throw error;
  }
}

/** What stands there is no value that is known here. */
class Unknown extends Error {}

class ReprReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): unknown {
    const value = this.#value(0);
    if (this.#at < this.#text.length) throw new Unknown();
    return value;
  }

  #value(depth: number): unknown {
    if (depth > DEEPEST) throw new Unknown();
    const next = this.#text[this.#at];
    if (next === "'" || next === '"') return this.#string();
    if (next === '[') return this.#list(']', depth);
    if (next === '(') return this.#list(')', depth);
    if (next === '{') return Object.fromEntries(this.#entries(depth));
    const number = this.#take(/-?\d+(\.\d+)?(e[+-]?\d+)?(?![\w.])/y);
    if (number !== undefined) return Number(number);
    const word = this.#take(/[A-Za-z]+/y) ?? '';
    if (Object.hasOwn(WORDS, word)) return WORDS[word];
    if (word === 'XComArg') return this.#output();
    if (word === 'MappedArgument') return this.#argument();
    throw new Unknown();
  }

  #list(end: string, depth: number): unknown[] {
    const items: unknown[] = [];
    this.#at += 1;
    while (!this.#skip(end)) {
      items.push(this.#value(depth + 1));
      if (!this.#skip(', ') && !this.#skip(',') && this.#text[this.#at] !== end) throw new Unknown();
    }
    return items;
  }

  #entries(depth: number): [string, unknown][] {
    const entries: [string, unknown][] = [];
    this.#at += 1;
    while (!this.#skip('}')) {
      const key = this.#string();
      this.#expect(': ');
      entries.push([key, this.#value(depth + 1)]);
      if (!this.#skip(', ') && this.#text[this.#at] !== '}') throw new Unknown();
    }
    return entries;
  }

  #string(): string {
    const [, single, double] = this.#match(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/y) ?? [];
    const written = single ?? double;
    if (written === undefined) throw new Unknown();
    return written.replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/gs, (...found) => {
      const [, short, middle, long, other = ''] = found as (string | undefined)[];
      const code = short ?? middle ?? long;
      if (code === undefined) return ESCAPES[other] ?? other;
      const point = Number.parseInt(code, 16);
      if (point > 0x10ffff) throw new Unknown();
      return String.fromCodePoint(point);
    });
  }

  /** `XComArg(<Task(_PythonDecoratedOperator): load.read>, 'rows')`. */
  #output(): TypedValue {
    const [, task] = this.#match(/\(<(?:Task|Mapped)\(\w+\): ([\w.-]+)>/y) ?? [];
    if (task === undefined) throw new Unknown();
    const key = this.#skip(', ') ? this.#string() : 'return_value';
    this.#expect(')');
    return new TypedValue('xcom', { task, key });
  }

  /** `MappedArgument(_input=…, _key='region')`: what the group is mapped over stands at the group as well. */
  #argument(): TypedValue {
    let depth = 0;
    while (depth > 1 || !this.#skip(', _key=')) {
      const next = this.#text[this.#at];
      if (next === undefined) throw new Unknown();
      if (next === "'" || next === '"') this.#string();
      else this.#at += 1;
      if (/[([{]/.test(next)) depth += 1;
      if (/[)\]}]/.test(next)) depth -= 1;
      if (depth < 1) throw new Unknown();
    }
    const key = this.#string();
    this.#expect(')');
    return new TypedValue('mapped', { key });
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at += found[0].length;
    return found;
  }

  #take(pattern: RegExp): string | undefined {
    return this.#match(pattern)?.[0];
  }

  #skip(text: string): boolean {
    const isThere = this.#text.startsWith(text, this.#at);
    if (isThere) this.#at += text.length;
    return isThere;
  }

  #expect(text: string): void {
    if (!this.#skip(text)) throw new Unknown();
  }
}
