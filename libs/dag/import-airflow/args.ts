import { quote } from '../source/quote.ts';
import type { Place, Report } from './report.ts';
import { isMap, secondsOf, TypedValue } from './typed-value.ts';

/**
 * The arguments of a DAG, a task or a callback. Whoever understands one takes it; what is left over in the end is reported,
 * so that nothing is lost without a word.
 */
export class Args {
  readonly placeOf: (key: string) => Place;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #report: Report;
  readonly #taken = new Set<string>();

  constructor(values: Readonly<Record<string, unknown>>, placeOf: (key: string) => Place, report: Report) {
    this.#values = values;
    this.placeOf = placeOf;
    this.#report = report;
  }

  /** Undefined when it is absent or None. */
  take(key: string): unknown {
    this.#taken.add(key);
    return this.peek(key);
  }

  /** Without taking it. */
  peek(key: string): unknown {
    return Object.hasOwn(this.#values, key) ? (this.#values[key] ?? undefined) : undefined;
  }

  text(key: string): string | undefined {
    return this.#expect(key, 'a text', (value) => (typeof value === 'string' ? value : undefined));
  }

  number(key: string): number | undefined {
    return this.#expect(key, 'a number', (value) => {
      const number = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
      return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
    });
  }

  yes(key: string): boolean {
    return this.#expect(key, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined)) ?? false;
  }

  seconds(key: string): number | undefined {
    return this.#expect(key, 'a duration', (value) => secondsOf(value) ?? undefined);
  }

  /** Texts; one alone counts as a list, and so do texts between commas. */
  texts(key: string): readonly string[] {
    const found = this.#expect(key, 'a text or a list of texts', (value) => {
      const list: unknown = typeof value === 'string' ? value.split(/\s*[,;]\s*/) : value;
      return Array.isArray(list) && list.every((item) => typeof item === 'string') ? (list as string[]) : undefined;
    });
    return (found ?? []).filter((item) => item !== '');
  }

  list(key: string): readonly unknown[] {
    return this.#expect(key, 'a list', (value) => (Array.isArray(value) ? (value as unknown[]) : undefined)) ?? [];
  }

  map(key: string): Readonly<Record<string, unknown>> {
    return this.#expect(key, 'a map', (value) => (isMap(value) ? value : undefined)) ?? {};
  }

  /** Everything counts as understood from now on. */
  takeAll(): Readonly<Record<string, unknown>> {
    for (const key of Object.keys(this.#values)) this.#taken.add(key);
    return this.#values;
  }

  /** Keys with a value that nobody took. */
  left(): string[] {
    return Object.keys(this.#values).filter((key) => !this.#taken.has(key) && isSaid(this.#values[key]));
  }

  #expect<T>(key: string, expected: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = this.take(key);
    if (value === undefined) return undefined;
    const found = read(value);
    if (found === undefined) {
      const shown = value instanceof TypedValue ? `a ${value.type}` : quote(value);
      this.#report.lost(this.placeOf(key), `${key} is ${shown}; expected ${expected}.`, 'Mend it and import again.');
    }
    return found;
  }
}

/** False, nothing and empty collections say what Airflow assumes anyway. */
function isSaid(value: unknown): boolean {
  if (value === null || value === false || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return !isMap(value) || Object.keys(value).length > 0;
}
