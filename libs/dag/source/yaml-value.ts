import { isAlias, isMap, isScalar, isSeq, type ParsedNode, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import type { ProblemList } from './problem-list.ts';
import { quote } from './quote.ts';
import type { SourceMap } from './source-map.ts';
import { FILE_LIMITS } from './yaml-limits.ts';

/** Keys that would reach an object's prototype. */
const RESERVED_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/** Merge keys (`<<`) are refused, except in files that were written for other programs. */
export interface YamlDialect {
  readonly mergeKeys: boolean;
}

/** The plain JSON value of a node; members that cannot be used are left out and reported. */
export function plainValue(root: ParsedNode, map: SourceMap, problems: ProblemList, dialect: YamlDialect): unknown {
  return new Reader(map, problems, dialect).value(root);
}

class Reader {
  readonly #map: SourceMap;
  readonly #problems: ProblemList;
  readonly #dialect: YamlDialect;
  readonly #anchors = new Map<string, ParsedNode>();
  readonly #open = new Set<ParsedNode>();
  #values = 0;

  constructor(map: SourceMap, problems: ProblemList, dialect: YamlDialect) {
    this.#map = map;
    this.#problems = problems;
    this.#dialect = dialect;
  }

  value(node: ParsedNode | null): unknown {
    if (node === null) return null;
    this.#values += 1;
    if (this.#values > FILE_LIMITS.values) {
      if (this.#values === FILE_LIMITS.values + 1)
        this.#report(node, `The file holds more than ${FILE_LIMITS.values} values.`, 'Use fewer aliases.');
      return null;
    }
    if (isAlias(node)) return this.#alias(node);
    const tag: unknown = node.tag;
    if (typeof tag === 'string' && !(isScalar(node) && tag === 'tag:yaml.org,2002:str'))
      this.#report(node, `The tag ${quote(tag)} is not supported.`, 'Remove the tag; quote the value if it is a text.');
    if ('anchor' in node && typeof node.anchor === 'string') this.#anchors.set(node.anchor, node);
    if (isMap(node)) return this.#members(node as YAMLMap.Parsed);
    if (isSeq(node)) return this.#items(node as YAMLSeq.Parsed);
    return this.#scalar(node as Scalar.Parsed);
  }

  #alias(node: ParsedNode & { source: string }): unknown {
    const target = this.#anchors.get(node.source);
    if (target === undefined) {
      this.#report(node, `The alias *${node.source} has no anchor before it.`, 'Define it with &' + node.source + '.');
      return null;
    }
    if (this.#open.has(target)) {
      this.#report(node, `The alias *${node.source} holds itself.`, 'Write the value out.');
      return null;
    }
    this.#map.aliases.set(node, target);
    return this.value(target);
  }

  #members(node: YAMLMap.Parsed): Record<string, unknown> {
    const seen = new Set<string>();
    const members: Record<string, unknown> = {};
    let merged: Record<string, unknown> = {};
    this.#open.add(node);
    for (const pair of node.items) {
      if (this.#dialect.mergeKeys && isScalar(pair.key) && pair.key.value === '<<') {
        merged = { ...this.#merged(pair.value), ...merged };
        continue;
      }
      const key = this.#key(pair.key, seen);
      const value = this.value(pair.value);
      if (key !== null) members[key] = value;
    }
    this.#open.delete(node);
    return { ...merged, ...members };
  }

  /** What `<<` brings in: one map or several, of which the first has precedence. */
  #merged(node: ParsedNode | null): Record<string, unknown> {
    const value = this.value(node);
    const maps = [value].flat().filter((each) => typeof each === 'object' && each !== null);
    return Object.assign({}, ...maps.reverse()) as Record<string, unknown>;
  }

  #key(node: ParsedNode, seen: Set<string>): string | null {
    const key: unknown = isScalar(node) ? node.value : undefined;
    if (typeof key !== 'string') {
      const written = isScalar(node) ? `The key ${quote(key)} is` : 'A key is a map or list,';
      this.#report(node, `${written} not a text.`, 'Keys are names; put a number or a word like true in quotes.');
      return null;
    }
    if (key === '<<')
      this.#report(node, 'Merge keys (<<) are not supported.', 'Use `defaults:` for what tasks have in common.');
    else if (RESERVED_KEYS.has(key)) this.#report(node, `The key ${quote(key)} is reserved.`, 'Choose another name.');
    else if (seen.has(key)) this.#report(node, `The key ${quote(key)} is given twice.`, 'Keep one of the two.');
    else {
      seen.add(key);
      return key;
    }
    return null;
  }

  #items(node: YAMLSeq.Parsed): unknown[] {
    this.#open.add(node);
    const items = node.items.map((item) => this.value(item as ParsedNode));
    this.#open.delete(node);
    return items;
  }

  #scalar(node: Scalar.Parsed): unknown {
    const value: unknown = node.value;
    if (typeof value !== 'number') return value;
    const isWhole = /^[-+]?(\d+|0o[0-7]+|0x[\da-f]+)$/i.test(node.source);
    if (!Number.isFinite(value) || (isWhole && !Number.isSafeInteger(value)))
      this.#report(
        node,
        `The number ${quote(node.source)} cannot be kept exactly.`,
        'Put it in quotes to keep it as a text.',
      );
    return value;
  }

  #report(node: ParsedNode, message: string, hint: string): void {
    this.#problems.add(this.#map.positionOf(node.range[0]), message, hint);
  }
}
