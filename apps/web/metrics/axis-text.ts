const DAY_S = 86_400;

/** How instants are written: in UTC for data intervals, in the reader's zone for everything else. */
type Zone = 'utc' | 'local';

/**
 * Labels for a time axis, by the distance between its ticks (seconds): the short part always, the part above it in a
 * second line where it begins or changes. Dates as ISO writes them.
 */
export function timeTicks(ticks: readonly number[], stepS: number, zone: Zone): string[] {
  let above = '';
  return ticks.map((seconds) => {
    const [low, high] =
      stepS >= 365 * DAY_S ? yearOnly(seconds, zone) : stepS >= DAY_S ? dayOf(seconds, zone) : clockOf(seconds, zone);
    if (high === above) return low;
    above = high;
    return `${low}\n${high}`;
  });
}

/** Labels for a value axis with as many decimals as its steps need. */
export function valueTicks(ticks: readonly number[], step: number): string[] {
  const decimals = Math.max(0, Math.min(8, -Math.floor(Math.log10(Math.abs(step) || 1) + 1e-9)));
  const needs = Number(step.toFixed(decimals)) === Number(step.toFixed(decimals + 1)) ? decimals : decimals + 1;
  return ticks.map((value) =>
    Math.abs(value) >= 1e7
      ? `${(value / 1e6).toLocaleString('en')}M`
      : value.toLocaleString('en', { minimumFractionDigits: needs, maximumFractionDigits: needs }),
  );
}

function yearOnly(seconds: number, zone: Zone): [string, string] {
  return [iso(seconds, zone).slice(0, 4), ''];
}

function dayOf(seconds: number, zone: Zone): [string, string] {
  const text = iso(seconds, zone);
  return [text.slice(5, 10), text.slice(0, 4)];
}

function clockOf(seconds: number, zone: Zone): [string, string] {
  const text = iso(seconds, zone);
  return [text.slice(11, 16), text.slice(0, 10)];
}

function iso(seconds: number, zone: Zone): string {
  const date = new Date(seconds * 1000);
  const shift = zone === 'utc' ? 0 : date.getTimezoneOffset() * 60_000;
  return new Date(date.getTime() - shift).toISOString();
}
