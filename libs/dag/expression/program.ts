import type { ASTNode } from '@marcbachmann/cel-js';
import { celEnvironment, EXPRESSION_LIMITS, LINEAR_MATCHES } from './cel-environment.ts';
import { boundMacros, MacroBudget } from './macro-budget.ts';

/** Every name an expression may begin with. */
export const SCOPE_NAMES = [
  'params',
  'env',
  'run',
  'ds',
  'ds_nodash',
  'ts',
  'data_interval_start',
  'data_interval_end',
  'paths',
  'matrix',
  'tasks',
  'metrics',
  'baseline',
  'outputs',
  'response',
  'now',
  'event',
] as const;

/** A name that an expression uses, with the members that are written out: `tasks.train.outputs[0]` → tasks, [train, outputs]. */
export interface Reference {
  readonly root: string;
  readonly members: readonly string[];
  /** True when an index follows that is only known at run time. */
  readonly dynamic: boolean;
  /** Offset of the name within the expression. */
  readonly offset: number;
}

export interface Program {
  /** Throws what the expression throws. */
  run(scope: object): unknown;
  readonly references: readonly Reference[];
}

export type ParsedProgram =
  | { readonly ok: true; readonly program: Program }
  | { readonly ok: false; readonly message: string; readonly offset: number };

const environment = celEnvironment();
for (const name of SCOPE_NAMES) environment.registerVariable(name, 'dyn');

const MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
const cache = new Map<string, ParsedProgram>();

/** Parses an expression (without `${{ }}`), checks its limits and caches the result by text. Never throws. */
export function parseProgram(expression: string): ParsedProgram {
  let parsed = cache.get(expression);
  if (parsed === undefined) {
    parsed = build(expression);
    if (cache.size > 20_000) cache.clear();
    cache.set(expression, parsed);
  }
  return parsed;
}

/** A fault found while walking the tree. */
class Refusal extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

function build(expression: string): ParsedProgram {
  if (expression.trim() === '') return { ok: false, message: 'the expression is empty', offset: 0 };
  if (expression.length > EXPRESSION_LIMITS.characters) {
    const message = `the expression has ${expression.length} characters; at most ${EXPRESSION_LIMITS.characters} are allowed`;
    return { ok: false, message, offset: 0 };
  }
  try {
    const parsed = environment.parse(expression);
    const references: Reference[] = [];
    inspect(parsed.ast, { references, bound: [], depth: 0 });
    // Unknown variables are the caller's business (it knows the place), so only real faults are reported here.
    if (references.every((reference) => isScopeName(reference.root))) {
      boundMacros(parsed.ast, 'before');
      const checked = parsed.check();
      if (!checked.valid) return faultOf(checked.error);
      boundMacros(parsed.ast, 'after');
    }
    return { ok: true, program: { references, run: (scope) => MacroBudget.during(() => parsed(scope)) } };
  } catch (error) {
    return faultOf(error);
  }
}

export function isScopeName(name: string): boolean {
  return (SCOPE_NAMES as readonly string[]).includes(name);
}

/** Message and offset of an error of the CEL library, in our words. */
export function faultOf(error: unknown): { ok: false; message: string; offset: number } {
  if (error instanceof Refusal) return { ok: false, message: error.message, offset: error.offset };
  const known = error as { summary?: string; message?: string; range?: { start: number } };
  const message = known.summary ?? known.message ?? String(error);
  return { ok: false, message: inOurWords(message), offset: known.range?.start ?? 0 };
}

function inOurWords(message: string): string {
  const text = message
    .replaceAll(LINEAR_MATCHES, 'matches')
    .replace(/dyn<(\w+)>/g, '$1')
    .replace(/^found no matching overload for/, 'there is no function')
    .replace(/^no such overload: (.*)$/, 'operator does not apply: $1')
    .replace(/^(Expected \w+, got EOF|Unexpected token: EOF)$/, 'it ends too early')
    .replace(/^Expected (\w+), got .*$/, (_, token: string) => `${SIGNS[token] ?? token.toLowerCase()} is missing`)
    .replace(
      /^Unexpected token: (\w+)$/,
      (_, token: string) => `${SIGNS[token] ?? token.toLowerCase()} is not expected`,
    )
    .replace(/^Exceeded max(\w+) \((\d+)\)$/, 'the expression is too large ($1 over $2)');
  return text.charAt(0).toLowerCase() + text.slice(1);
}

const SIGNS: Readonly<Record<string, string>> = {
  LPAREN: '"("',
  RPAREN: '")"',
  LBRACKET: '"["',
  RBRACKET: '"]"',
  LBRACE: '"{"',
  RBRACE: '"}"',
  COLON: '":"',
  COMMA: '","',
  DOT: '"."',
  IDENTIFIER: 'a name',
};

interface Walk {
  readonly references: Reference[];
  /** Variables of the macros around this node. */
  readonly bound: readonly string[];
  readonly depth: number;
}

function inspect(node: ASTNode, walk: Walk): void {
  switch (node.op) {
    case 'value':
      return;
    case 'id':
    case '.':
    case '.?':
    case '[]':
    case '[?]':
      return inspectAccess(node, walk);
    case 'call':
      for (const argument of node.args[1]) inspect(argument, walk);
      return;
    case 'rcall':
      return inspectMethod(node, walk);
    case 'map':
      for (const [key, value] of node.args) for (const part of [key, value]) inspect(part, walk);
      return;
    case '!_':
    case '-_':
      return inspect(node.args, walk);
    default:
      for (const part of node.args as readonly ASTNode[]) inspect(part, walk);
  }
}

function inspectMethod(node: Extract<ASTNode, { op: 'rcall' }>, walk: Walk): void {
  const [method, receiver, args] = node.args;
  if (method === 'bind' && receiver.op === 'id' && receiver.args === 'cel')
    throw new Refusal('cel.bind is not available', node.start);
  inspect(receiver, walk);
  const [variable, ...rest] = args;
  if (MACROS.has(method) && variable?.op === 'id' && rest.length > 0) {
    if (walk.depth === EXPRESSION_LIMITS.macroNesting)
      throw new Refusal(`"${method}" is nested deeper than ${EXPRESSION_LIMITS.macroNesting} levels`, node.start);
    const inner = { ...walk, bound: [...walk.bound, variable.args], depth: walk.depth + 1 };
    for (const argument of rest) inspect(argument, inner);
    return;
  }
  for (const argument of args) inspect(argument, walk);
  // The tree is ours alone: the library's `matches` backtracks (30 s on one pattern), ours does not.
  if (method === 'matches') node.args[0] = LINEAR_MATCHES;
}

function inspectAccess(node: ASTNode, walk: Walk): void {
  const members: string[] = [];
  let dynamic = false;
  let current: ASTNode = node;
  while (current.op === '.' || current.op === '.?' || current.op === '[]' || current.op === '[?]') {
    const member: ASTNode | string = current.args[1];
    if (typeof member === 'string') members.unshift(member);
    else if (member.op === 'value' && typeof member.args === 'string') members.unshift(member.args);
    else {
      // Only the members before a computed index are known.
      members.length = 0;
      dynamic = true;
      inspect(member, walk);
    }
    current = current.args[0];
  }
  if (current.op !== 'id') return inspect(current, walk);
  if (walk.bound.includes(current.args)) return;
  walk.references.push({ root: current.args, members, dynamic, offset: current.start });
}
