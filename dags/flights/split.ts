/** Calendar days `YYYY-MM-DD`, `to` exclusive. */
export interface Days {
  readonly from: string;
  readonly to: string;
}

/** Which days a model may learn from, which ones decide between candidates, and which ones judge the winner. */
export interface Split {
  readonly fit: Days;
  readonly choose: Days;
  readonly evaluate: Days;
}

const EVALUATE_DAYS = 7;
const CHOOSE_DAYS = 7;
/** The last day of the interval is left alone, so that a model may score every day it is the newest model for. */
const GAP_DAYS = 1;

/**
 * Splits the days before `end` in the order of time: fit, then choose, then evaluate; none shares a day with another, and
 * the last day before `end` is left out. Early in the data the first two share what there is, two to one.
 * Throws when fewer than three days lie before the evaluation.
 */
export function splitDays(end: string, firstDay: string, fitDays: number): Split {
  const evaluateTo = addDays(end, -GAP_DAYS);
  const evaluateFrom = addDays(evaluateTo, -EVALUATE_DAYS);
  const known = daysBetween(firstDay, evaluateFrom);
  if (known < 3) {
    throw new Error(`Only ${known} days of flights lie before the evaluation from ${evaluateFrom}; a model needs 3.`);
  }
  const chooseFrom = addDays(evaluateFrom, -Math.min(CHOOSE_DAYS, Math.floor(known / 3)));
  return {
    fit: { from: latest(firstDay, addDays(chooseFrom, -fitDays)), to: chooseFrom },
    choose: { from: chooseFrom, to: evaluateFrom },
    evaluate: { from: evaluateFrom, to: evaluateTo },
  };
}

/** What the winner learns from once it is chosen: at most `fitDays` days that end where the evaluation begins. */
export function refitDays(split: Split, fitDays: number): Days {
  return { from: latest(split.fit.from, addDays(split.evaluate.from, -fitDays)), to: split.evaluate.from };
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
}

export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
}

function latest(a: string, b: string): string {
  return a > b ? a : b;
}
