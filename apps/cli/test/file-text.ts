import { SluiceError } from '#core';
import { csvLine } from '../output/csv.ts';

/** The content of a file of a test: a text as it is, rows as the file's name ends. */
export function fileText(name: string, content: unknown): string {
  if (typeof content === 'string') return content;
  if (name.endsWith('.json')) return `${JSON.stringify(content, null, 2)}\n`;
  const rows = Array.isArray(content) ? (content as unknown[]) : [content];
  if (/\.(ndjson|jsonl)$/.test(name)) return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  if (name.endsWith('.csv')) return csvText(name, rows);
  throw new SluiceError('bad_request', `Rows cannot be written as ${name}; .csv, .ndjson or .json was expected.`, {
    hint: 'Write the content as a text, or give the file with `folder:`.',
  });
}

function csvText(name: string, rows: readonly unknown[]): string {
  const maps = rows.map((row) => {
    if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as Readonly<Record<string, unknown>>;
    throw new SluiceError('bad_request', `A row of ${name} is ${JSON.stringify(row)}; a map was expected.`);
  });
  const header = [...new Set(maps.flatMap((row) => Object.keys(row)))];
  const lines = maps.map((row) => header.map((key) => cellOf(row[key])));
  return [header, ...lines].map((line) => `${csvLine(line)}\n`).join('');
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
