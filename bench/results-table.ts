import { readFileSync, writeFileSync } from 'node:fs';
import { type Figure, keepsPromise, promiseHere, timesFloor } from './benchmark.ts';

/** What `bench/results/NAME.json` holds. */
export interface StoredResult {
  readonly name: string;
  readonly title: string;
  readonly machine: string;
  /** Load of the last minute before it began; above 0.5 the figures are worth less. */
  readonly loadBefore: number;
  /** The same at its end, with what it did itself. Older results do not tell it. */
  readonly loadAfter?: number;
  readonly measuredAt: string;
  readonly figures: readonly Figure[];
}

const BEGIN = '<!-- results: written by npm run bench -->';
const END = '<!-- end of results -->';

export function resultsTable(results: readonly StoredResult[]): string {
  const rows = results.flatMap(({ name, title, loadBefore, figures }) =>
    figures.map((figure, index) => {
      const { what, value, unit, promise, floor, floorIs } = figure;
      const shown = (number: number): string => `${Number(number.toPrecision(3)).toLocaleString('en')} ${unit}`;
      return `| ${index === 0 ? name : ''} | ${index === 0 ? title : ''} | ${what} | ${shown(value)} | ${unit === '/s' ? '≥' : '≤'} ${shown(promise)} | ${shown(promiseHere(figure))} ${keepsPromise(figure) ? '✓' : '✗'} | ${shown(floor)}: ${floorIs} | ${timesFloor(figure).toFixed(1)} × | ${index === 0 ? loadBefore.toFixed(1) : ''} |`;
    }),
  );
  return [
    '| | benchmark | figure | measured | promise | promise here | floor of the same run | ratio | load |',
    '| --- | --- | --- | ---: | ---: | ---: | --- | ---: | ---: |',
    ...rows,
  ].join('\n');
}

/** Puts the table between the two markers of the page. Throws when the page has none. */
export function writeTable(page: string, table: string): void {
  writeBetween(page, BEGIN, END, table);
}

/** Puts a text between two lines of a page. Throws when it has them not. */
export function writeBetween(page: string, begin: string, end: string, inner: string): void {
  const text = readFileSync(page, 'utf8');
  const [head, rest] = text.split(begin);
  const tail = rest?.split(end)[1];
  if (head === undefined || tail === undefined) throw new Error(`${page} has no "${begin}" … "${end}"`);
  writeFileSync(page, `${head}${begin}\n\n${inner}\n\n${end}${tail}`);
}
