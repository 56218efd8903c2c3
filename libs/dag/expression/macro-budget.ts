import type { ASTNode } from '@marcbachmann/cel-js';
import { EXPRESSION_LIMITS } from './cel-environment.ts';

/**
 * Bounds the work of `map`, `filter`, `all`, … in one evaluation. The library has limits on the text of an expression
 * but none on its run time, and two nested macros over long lists would hold the process for minutes.
 */
export const MacroBudget = {
  during<T>(work: () => T): T {
    roundsLeft = EXPRESSION_LIMITS.macroRounds;
    return work();
  },
};

let roundsLeft = 0;

/** What the library's tree nodes carry beside their public type. */
interface MacroNode {
  readonly meta: { readonly alternate?: { readonly args: Comprehension }; readonly evaluate: Evaluate };
  setMeta(key: 'evaluate', value: Evaluate): void;
}
interface Comprehension {
  errorsAreFatal: boolean;
  readonly step: MacroNode;
}
type Evaluate = (evaluator: unknown, node: unknown, context: unknown) => unknown;

/**
 * Called before the type check: an error inside `all` and `exists` ends the evaluation instead of being swallowed, so
 * that an exhausted budget ends it too. Called after the check, which sets the evaluators: each round counts.
 */
export function boundMacros(node: ASTNode, when: 'before' | 'after'): void {
  for (const child of childrenOf(node)) boundMacros(child, when);
  const comprehension = (node as unknown as MacroNode).meta.alternate?.args;
  if (comprehension === undefined) return;
  if (when === 'before') comprehension.errorsAreFatal = true;
  else countRounds(comprehension.step);
}

function countRounds(step: MacroNode): void {
  const evaluate = step.meta.evaluate;
  step.setMeta('evaluate', (evaluator, node, context) => {
    roundsLeft -= 1;
    if (roundsLeft < 0)
      throw new Error(`it needs more than ${EXPRESSION_LIMITS.macroRounds} rounds of map, filter, all or exists`);
    return evaluate(evaluator, node, context);
  });
}

function childrenOf(node: ASTNode): ASTNode[] {
  const found: ASTNode[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null && 'op' in value) found.push(value as ASTNode);
  };
  visit(node.args);
  return found;
}
