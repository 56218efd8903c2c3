import { describe, expect, test } from '@jest/globals';
import { examplesOf } from '../testing/examples.ts';
import { PROMOTION_STATES, PROMOTION_TRANSITIONS } from './promotion.ts';
import { TASK_STATES, TRANSITIONS } from './states.ts';

const DRAWINGS = examplesOf('ARCHITECTURE.md', 'mermaid', 2).map((drawing) => drawing.trimEnd());

/** Transitions as mermaid draws them, from the first state on; what nothing follows is an end. */
function drawing<State extends string>(
  states: readonly State[],
  transitions: Readonly<Record<State, readonly State[]>>,
): string {
  const lines = states.flatMap((state) => {
    const next = transitions[state];
    return next.length === 0 ? [`    ${state} --> [*]`] : next.map((after) => `    ${state} --> ${after}`);
  });
  return ['stateDiagram-v2', `    [*] --> ${states[0]}`, ...lines].join('\n');
}

describe('ARCHITECTURE.md', () => {
  test('draws the transitions of task runs as they are', () => {
    expect(DRAWINGS).toContain(drawing(TASK_STATES, TRANSITIONS));
  });

  test('draws those of promotions as they are', () => {
    expect(DRAWINGS).toContain(drawing(PROMOTION_STATES, PROMOTION_TRANSITIONS));
  });
});
