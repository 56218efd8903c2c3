import type { GateState, PromotionState, RunState, TaskState } from '#core';
import type { Style } from './style.ts';

interface Mark {
  readonly symbol: string;
  readonly colour: 'green' | 'red' | 'yellow' | 'blue' | 'cyan' | 'gray' | 'magenta';
}

/** Symbol and colour of every state; the word always stands beside them, so neither is needed to understand. */
const MARKS: Readonly<Record<RunState | TaskState | PromotionState | GateState, Mark>> = {
  none: { symbol: '·', colour: 'gray' },
  waiting: { symbol: '…', colour: 'yellow' },
  ready: { symbol: '○', colour: 'cyan' },
  queued: { symbol: '◌', colour: 'cyan' },
  running: { symbol: '▶', colour: 'blue' },
  retrying: { symbol: '↻', colour: 'yellow' },
  success: { symbol: '✓', colour: 'green' },
  failed: { symbol: '✗', colour: 'red' },
  skipped: { symbol: '↷', colour: 'gray' },
  upstream_failed: { symbol: '⇡', colour: 'red' },
  cancelled: { symbol: '⊘', colour: 'magenta' },
  timed_out: { symbol: '⧖', colour: 'red' },
  lost: { symbol: '?', colour: 'magenta' },
  gates: { symbol: '▶', colour: 'blue' },
  approval: { symbol: '…', colour: 'yellow' },
  window: { symbol: '…', colour: 'yellow' },
  verifying: { symbol: '▶', colour: 'blue' },
  verified: { symbol: '✓', colour: 'green' },
  rolled_back: { symbol: '↩', colour: 'red' },
  rejected: { symbol: '✗', colour: 'red' },
  expired: { symbol: '⧖', colour: 'red' },
  superseded: { symbol: '⊘', colour: 'gray' },
  pending: { symbol: '○', colour: 'cyan' },
  passed: { symbol: '✓', colour: 'green' },
  inconclusive: { symbol: '?', colour: 'yellow' },
  overridden: { symbol: '↷', colour: 'magenta' },
};

/** `✓ success`, in colour where the style has any. */
export function stateMark(state: string, style: Style): string {
  const mark = MARKS[state as RunState];
  return mark === undefined ? state : style[mark.colour](`${mark.symbol} ${state}`);
}

/** Just the symbol: only where the word stands in the same line or the header says what it is. */
export function stateSymbol(state: string, style: Style): string {
  const mark = MARKS[state as RunState];
  return mark === undefined ? '?' : style[mark.colour](mark.symbol);
}
