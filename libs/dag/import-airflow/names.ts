/** Words that CEL keeps for itself: `params.in` would not parse. */
const CEL_WORDS = new Set(
  'as break const continue else false for function if import in let loop namespace null package return true var void while'.split(
    ' ',
  ),
);
const LONGEST = 63;

/** Gives each name of Airflow one that Sluice allows, the same for the same and different for different ones. */
export class Names {
  readonly #separator: '_' | '-';
  readonly #given = new Map<string, string>();
  readonly #used = new Set<string>();

  /** Pipelines may have `-` in their names, tasks and parameters may not. */
  constructor(separator: '_' | '-') {
    this.#separator = separator;
  }

  /** The name that stands for `written` from now on. */
  give(written: string): string {
    const known = this.#given.get(written);
    if (known !== undefined) return known;
    const plain = plainName(written, this.#separator);
    let name = plain;
    for (let number = 2; this.#used.has(name); number += 1) {
      const suffix = `${this.#separator}${number}`;
      name = `${plain.slice(0, LONGEST - suffix.length)}${suffix}`;
    }
    this.#used.add(name);
    this.#given.set(written, name);
    return name;
  }

  /** Undefined when none was given. */
  of(written: string): string | undefined {
    return this.#given.get(written);
  }
}

function plainName(written: string, separator: '_' | '-'): string {
  const allowed = separator === '-' ? /[^a-z0-9_-]+/g : /[^a-z0-9_]+/g;
  const words = written
    .slice(0, 1_000)
    .toLowerCase()
    .replace(allowed, separator)
    .replace(/^[_-]+|[_-]+$/g, '');
  const name = (/^[a-z]/.test(words) ? words : `x${separator}${words}`).slice(0, LONGEST).replace(/[_-]+$/, '');
  return CEL_WORDS.has(name) ? `${name}${separator}x` : name;
}
