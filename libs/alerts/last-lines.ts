import { cleanLogLine, shortenEscaped } from './clean-text.ts';

export interface LastLines {
  /** Cleaned and measured: their lengths plus one each are at most the budget. */
  readonly lines: readonly string[];
  /** How many lines before them were left out. */
  readonly omitted: number;
}

/** The end of a log that fits: at most `maxLines` lines and, after `escape`, `budget` characters. */
export function lastLines(
  log: readonly string[],
  { maxLines, budget, escape }: { maxLines: number; budget: number; escape: (line: string) => string },
): LastLines {
  const kept: string[] = [];
  let left = budget;
  for (let at = log.length - 1; at >= 0 && kept.length < maxLines; at--) {
    const line = cleanLogLine(log[at] ?? '');
    const whole = escape(line);
    // A line that is too long is cut only where nothing else would be shown.
    if (whole.length >= left && kept.length > 0) break;
    kept.unshift(whole.length < left ? whole : shortenEscaped(line, left - 1, escape));
    left -= whole.length + 1;
  }
  while (kept[0] === '') kept.shift();
  return { lines: kept, omitted: log.length - kept.length };
}
