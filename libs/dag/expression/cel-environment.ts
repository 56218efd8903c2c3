import { Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';

/** Limits of one expression; generous for people, small for machines. */
export const EXPRESSION_LIMITS = {
  characters: 4096,
  /** `list.map(x, x.filter(…))` is 2. */
  macroNesting: 2,
  /** Rounds of all `map`, `filter`, `all`, `exists` together in one evaluation. */
  macroRounds: 200_000,
} as const;

/** Name under which the linear-time `matches` is registered; the one of the library backtracks. */
export const LINEAR_MATCHES = 'matchesLinear';

/** CEL as Sluice speaks it, without variables: mixed int and double arithmetic, mixed lists, regex in linear time. */
export function celEnvironment(): Environment {
  const environment = new Environment({
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 2_000, maxDepth: 50, maxListElements: 1_000, maxMapEntries: 1_000, maxCallArguments: 16 },
  });
  for (const [operator, apply] of Object.entries(ARITHMETIC)) {
    environment.registerOperator(`int ${operator} double: double`, (a: bigint, b: number) => apply(Number(a), b));
    environment.registerOperator(`double ${operator} int: double`, (a: number, b: bigint) => apply(a, Number(b)));
  }
  environment.registerOperator('double % double: double', (a: number, b: number) => a % b);
  environment.registerOperator('int == double: bool', (a: bigint, b: number) => Number(a) === b);
  environment.registerFunction(
    `string.${LINEAR_MATCHES}(string): bool`,
    (text: string, pattern: string) => linearRegex(pattern).matcher(text).find(),
    { async: false },
  );
  return environment;
}

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

const patterns = new Map<string, RE2JS>();

/** Compiled and cached; throws on a malformed pattern. */
export function linearRegex(pattern: string): RE2JS {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    compiled = RE2JS.compile(pattern);
    if (patterns.size > 1_000) patterns.clear();
    patterns.set(pattern, compiled);
  }
  return compiled;
}
