import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TASK_STATES, TRANSITIONS } from './states.ts';

/** `TRANSITIONS` as mermaid draws it: `none` is where a task run begins, what nothing follows is an end. */
function drawing(): string {
  const lines = TASK_STATES.flatMap((state) => {
    const next = TRANSITIONS[state];
    return next.length === 0 ? [`    ${state} --> [*]`] : next.map((after) => `    ${state} --> ${after}`);
  });
  return ['stateDiagram-v2', '    [*] --> none', ...lines].join('\n');
}

describe('ARCHITECTURE.md', () => {
  test('draws the transitions of task runs as they are', () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'ARCHITECTURE.md'), 'utf8');
    expect(/```mermaid\n(.*?)\n```/s.exec(page)?.[1]).toBe(drawing());
  });
});
