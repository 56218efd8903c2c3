/** `1.8 MB`, `912 B`; decimal units. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** At most four digits that mean something: `0.7012`, `16,842`, `1.2M`, `3.1e-7`. */
export function formatValue(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  if (size !== 0 && size < 0.0001) return value.toExponential(2);
  if (size >= 1e12) return value.toExponential(3);
  if (size >= 1e7) return `${(value / 1e6).toFixed(1)}M`;
  if (size >= 1000 || Number.isInteger(value)) return Math.round(value).toLocaleString('en');
  if (size >= 100) return value.toFixed(1);
  if (size >= 10) return value.toFixed(2);
  return value.toFixed(4).replace(/(\.\d\d)0+$/, '$1');
}
