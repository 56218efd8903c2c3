import { LIVE_RULES } from './live-watch.ts';
import { RULE_NAMES } from './check-history.ts';

/** What every fault must leave true, and by which rules the checker holds it. */
export const INVARIANTS: Readonly<Record<string, { readonly says: string; readonly rules: readonly string[] }>> = {
  I1: {
    says: 'whatever has not ended has an owner that lives, or a time at which it is due',
    rules: [
      'a run that goes on has an owner that lives',
      'an ended run has no open task run',
      'no slot is held at rest',
    ],
  },
  I2: {
    says: 'what runs is held by a worker whose lease was renewed',
    rules: ['what runs is held by a worker that lives'],
  },
  I3: {
    says: 'no task run ever has two live attempts',
    rules: ['attempts never overlap', 'an ended task run has no live attempt', 'a success is one attempt, the last'],
  },
  I4: {
    says: 'every change of a state starts from the state, the attempt and the fence that it was decided for',
    rules: ['runs follow their states', 'task runs follow their states', 'attempts rise'],
  },
  I5: { says: 'what has ended stays as it ended', rules: ['what has ended stays as it ended'] },
  I6: {
    says: 'what a fault costs is made good once',
    rules: ['one successful run per interval', 'one pointer per interval and path', 'attempts rise'],
  },
  I7: {
    says: 'only the database decides whether something is executed again',
    rules: ['effects', 'what is published was made by a success'],
  },
  order: {
    says: 'order and limits hold',
    rules: ['no task begins before those that it needs', 'no pool holds more than its slots'],
  },
};

/** All rules of the checker: over the history, while it goes on, and over what tasks noted. */
export const ALL_RULES = [...RULE_NAMES, ...LIVE_RULES, 'effects'];
