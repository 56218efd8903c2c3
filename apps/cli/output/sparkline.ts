const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** The values as bars between their own minimum and maximum, newest last, at most `width` of them; equal values are half high. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width).filter((value) => Number.isFinite(value));
  const low = Math.min(...shown);
  const span = Math.max(...shown) - low;
  return shown.map((value) => BARS[span === 0 ? 3 : Math.round(((value - low) / span) * (BARS.length - 1))]).join('');
}
