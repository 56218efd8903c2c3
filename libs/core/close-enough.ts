/**
 * Do two texts say the same but for numbers that differ by no more than `tolerance`, relative to the larger one or, below
 * 1, absolutely? JSON (`.json`, and one document per line) and CSV (`.csv`, `.tsv`) are known; anything else is not close.
 */
export function closeEnough(file: string, before: string, after: string, tolerance: number): boolean {
  const kind = /\.(json|ndjson|jsonl|csv|tsv)$/i.exec(file)?.[1]?.toLowerCase();
  switch (kind) {
    case 'json':
      return sameJson([before], [after], tolerance);
    case 'ndjson':
    case 'jsonl':
      return sameJson(linesOf(before), linesOf(after), tolerance);
    case 'csv':
    case 'tsv':
      return sameCells(before, after, kind === 'csv' ? ',' : '\t', tolerance);
    default:
      return false;
  }
}

function sameJson(before: readonly string[], after: readonly string[], tolerance: number): boolean {
  if (before.length !== after.length) return false;
  return before.every((text, index) => {
    const [old, now] = [parsed(text), parsed(after[index] ?? '')];
    return old !== undefined && now !== undefined && isClose(old.value, now.value, tolerance);
  });
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function isClose(a: unknown, b: unknown, tolerance: number): boolean {
  if (typeof a === 'number' && typeof b === 'number') return isNear(a, b, tolerance);
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isClose(item, b[index], tolerance));
  if (typeof a === 'object' && a !== null && typeof b === 'object' && b !== null) {
    if (Array.isArray(a) || Array.isArray(b)) return false;
    const now = new Map(Object.entries(b));
    const old = Object.entries(a);
    return (
      old.length === now.size && old.every(([key, value]) => now.has(key) && isClose(value, now.get(key), tolerance))
    );
  }
  return a === b;
}

function isNear(a: number, b: number, tolerance: number): boolean {
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
}

/** Cell by cell; quotes stay part of a cell, so a separator inside one only makes both sides split alike. */
function sameCells(before: string, after: string, separator: string, tolerance: number): boolean {
  const [old, now] = [linesOf(before), linesOf(after)];
  return (
    old.length === now.length && old.every((line, index) => sameLine(line, now[index] ?? '', separator, tolerance))
  );
}

function sameLine(before: string, after: string, separator: string, tolerance: number): boolean {
  if (before === after) return true;
  const [old, now] = [before.split(separator), after.split(separator)];
  return (
    old.length === now.length &&
    old.every((cell, index) => {
      const other = now[index] ?? '';
      return cell === other || (isNumber(cell) && isNumber(other) && isNear(Number(cell), Number(other), tolerance));
    })
  );
}

function isNumber(cell: string): boolean {
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(cell);
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
