import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type LineCounter,
  type Pair,
  type ParsedNode,
  type YAMLMap,
} from 'yaml';
import type { Position } from './problem-list.ts';

export type Path = readonly (string | number)[];

/** Finds where values and keys were written. */
export interface Places {
  has(path: Path): boolean;
  value(path: Path): Position;
  key(path: Path): Position;
  within(path: Path, index: number): Position;
}

/** Finds where a value or a key stands in the file. Looked up only when there is something to say. */
export class SourceMap implements Places {
  readonly #text: string;
  readonly #lines: LineCounter;
  readonly #root: ParsedNode | null;
  readonly #pairs = new Map<YAMLMap, ReadonlyMap<unknown, Pair>>();
  /** Filled while values are read: which node an alias stands for. */
  readonly aliases = new Map<unknown, ParsedNode>();

  constructor(text: string, lines: LineCounter, root: ParsedNode | null) {
    this.#text = text;
    this.#lines = lines;
    this.#root = root;
  }

  positionOf(offset: number): Position {
    const { line, col } = this.#lines.linePos(Math.min(Math.max(offset, 0), this.#text.length));
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  has(path: Path): boolean {
    let node = this.#resolve(this.#root);
    for (const member of path) {
      const next = this.#member(node, member);
      if (next === null) return false;
      node = this.#resolve(next.node);
    }
    return true;
  }

  /** Place of the value at `path`, or of the nearest thing around it that exists. */
  value(path: Path): Position {
    const { node, key } = this.#find(path);
    return this.positionOf(node?.range[0] ?? key?.range[0] ?? 0);
  }

  /** Place of the key of the last member of `path`; of the item itself in a list. */
  key(path: Path): Position {
    const { node, key } = this.#find(path);
    return this.positionOf(key?.range[0] ?? node?.range[0] ?? 0);
  }

  /**
   * Place of the `index`-th character of the text at `path`. Exact where the text stands in the file as it is; in
   * folded and escaped texts it is the place of the same line's start, or of the whole text.
   */
  within(path: Path, index: number): Position {
    const { node } = this.#find(path);
    if (node === null || !isScalar(node) || typeof node.value !== 'string') return this.value(path);
    const [from, to] = node.range;
    const raw = this.#text.slice(from, to);
    const nearby = node.value.slice(index, index + 12).split('\n')[0] ?? '';
    if (nearby === '') return this.positionOf(from);
    // The same snippet may come several times: take the one with the same number before it.
    let at = -1;
    for (let before = countOf(node.value.slice(0, index), nearby); before >= 0; before -= 1) {
      at = raw.indexOf(nearby, at + 1);
      if (at < 0) return this.positionOf(from);
    }
    return this.positionOf(from + at);
  }

  #find(path: Path): { node: ParsedNode | null; key: ParsedNode | null } {
    let node = this.#resolve(this.#root);
    let key: ParsedNode | null = null;
    for (const member of path) {
      const next = this.#member(node, member);
      if (next === null) return { node: key === null ? node : null, key };
      key = next.key;
      node = this.#resolve(next.node);
    }
    return { node, key };
  }

  #member(
    node: ParsedNode | null,
    member: string | number,
  ): { node: ParsedNode | null; key: ParsedNode | null } | null {
    if (isSeq(node)) {
      const item = node.items[Number(member)] as ParsedNode | undefined;
      return item === undefined || isPair(item) ? null : { node: item, key: null };
    }
    if (!isMap(node)) return null;
    const pair = this.#pairsOf(node).get(member);
    return pair === undefined ? null : { node: pair.value as ParsedNode | null, key: pair.key as ParsedNode };
  }

  /** By key: a map of a thousand tasks is asked for each of them. */
  #pairsOf(node: YAMLMap): ReadonlyMap<unknown, Pair> {
    let pairs = this.#pairs.get(node);
    if (pairs === undefined) {
      // The first of two equal keys is the one whose value counts.
      const entries = node.items.map((pair): [unknown, Pair] => [isScalar(pair.key) ? pair.key.value : pair, pair]);
      this.#pairs.set(node, (pairs = new Map(entries.reverse())));
    }
    return pairs;
  }

  #resolve(node: ParsedNode | null): ParsedNode | null {
    return isAlias(node) ? (this.aliases.get(node) ?? node) : node;
  }
}

function countOf(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) count += 1;
  return count;
}
