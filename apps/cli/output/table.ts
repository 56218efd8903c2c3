import stringWidth from 'string-width';
import type { RenderedCell } from './cell.ts';

export interface TableColumn {
  readonly header: string;
  readonly align?: 'right' | undefined;
  /** May be cut when the table is wider than the terminal. */
  readonly shrinks?: boolean | undefined;
}

const GAP = '  ';
const NARROWEST = 10;

/** Lines of a table whose columns are as wide as their widest cell, cut to `width` characters; null: never cut. */
export function tableLines(
  columns: readonly TableColumn[],
  rows: readonly (readonly RenderedCell[])[],
  options: { readonly width: number | null; readonly headers: boolean; readonly paintHeader: (text: string) => string },
): string[] {
  const wanted = columns.map((column, i) =>
    rows.reduce(
      (widest, row) => Math.max(widest, stringWidth(row[i]?.text ?? '')),
      options.headers ? stringWidth(column.header) : 0,
    ),
  );
  const widths = options.width === null ? wanted : shrink(columns, wanted, options.width);
  const line = (cells: readonly RenderedCell[]): string =>
    cells
      .map((cell, i) => fit(cell, widths[i] ?? 0, columns[i]?.align))
      .join(GAP)
      .trimEnd();
  const head = columns.map(({ header }) => ({ text: header, paint: options.paintHeader }));
  return [...(options.headers ? [line(head)] : []), ...rows.map(line)];
}

/** Takes what is too much from the widest column that may be cut, again and again. */
function shrink(columns: readonly TableColumn[], wanted: readonly number[], width: number): number[] {
  const widths = [...wanted];
  let over = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1) - width;
  while (over > 0) {
    const widest = widths.reduce(
      (best, each, i) =>
        columns[i]?.shrinks && each > NARROWEST && (best === -1 || each > (widths[best] ?? 0)) ? i : best,
      -1,
    );
    if (widest === -1) break; // Nothing left to cut: a long line is better than a missing id.
    widths[widest] = (widths[widest] ?? 0) - 1;
    over -= 1;
  }
  return widths;
}

function fit(cell: RenderedCell, width: number, align: 'right' | undefined): string {
  const text = cutText(cell.text, width);
  const padding = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'right' ? padding + cell.paint(text) : cell.paint(text) + padding;
}

/** At most `width` columns of a terminal, ending in `…` when something was cut. */
export function cutText(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let cut = '';
  for (const character of text) {
    if (stringWidth(cut + character) > width - 1) break;
    cut += character;
  }
  return `${cut}…`;
}
