import type { WorkBeside } from '#core';

type Work = keyof WorkBeside;

/** What the scheduler saw, with each of its ticks, of the work that others do. */
export interface Glances {
  /** Wakes whoever has something to do; once more when it is gone. */
  hear(there: WorkBeside): void;
  /** Somebody has just brought some. */
  expect(what: Work): void;
  /** Whether there was any at the last glance. */
  saw(what: Work): boolean;
}

export function createGlances(wakes: Readonly<Record<Work, () => void>>): Glances {
  let before: Partial<WorkBeside> = {};
  return {
    hear: (there) => {
      for (const [what, wake] of Object.entries(wakes) as [Work, () => void][]) if (there[what] || before[what]) wake();
      before = there;
    },
    expect: (what) => {
      before = { ...before, [what]: true };
    },
    saw: (what) => before[what] ?? true,
  };
}
