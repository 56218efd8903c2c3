import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROMOTION_STATES, PROMOTION_TRANSITIONS } from './promotion.ts';
import { TASK_STATES, TRANSITIONS } from './states.ts';

const PAGE = readFileSync(join(import.meta.dirname, '..', '..', 'ARCHITECTURE.md'), 'utf8');
const DRAWINGS = [...PAGE.matchAll(/```mermaid\n(.*?)\n```/gs)].map(([, drawing]) => drawing);

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
