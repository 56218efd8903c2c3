import type { Command } from 'commander';
import { Option } from 'commander';
import type { Io } from '../io.ts';
import { cellForPeople, cellForPrograms, type Cell, type RenderedCell } from './cell.ts';
import { cleanLine } from './clean-text.ts';
import { csvLine } from './csv.ts';
import { styleFor } from './style.ts';
import { tableLines } from './table.ts';

export const FORMATS = ['table', 'wide', 'json', 'ndjson', 'yaml', 'csv', 'name'] as const;
export type Format = (typeof FORMATS)[number];

export interface OutputOptions {
  readonly output?: Format;
  readonly json?: boolean;
  readonly headers?: boolean;
}

export interface Column<Row> {
  readonly header: string;
  readonly cell: (row: Row) => Cell;
  readonly align?: 'right';
  readonly shrinks?: boolean;
  /** Shown with `-o wide` and `-o csv` only. */
  readonly wide?: boolean;
}

export interface List<Row> {
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly name: (row: Row) => string;
  /** What `json`, `ndjson` and `yaml` hold; the row itself unless told. */
  readonly json?: (row: Row) => unknown;
}

/** Adds `-o`, `--json` and `--no-headers` to a command that prints data. */
export function withOutput(command: Command): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'format of the data').choices(FORMATS).default('table'))
    .option('--json', 'the same as -o json')
    .option('--no-headers', 'tables and CSV without their first line');
}

/** Writes data to stdout in the wanted format; one JSON document per call. */
export class Output {
  readonly #io: Io;
  readonly format: Format;
  readonly #headers: boolean;

  constructor(io: Io, options: OutputOptions) {
    this.#io = io;
    this.format = options.json ? 'json' : (options.output ?? 'table');
    this.#headers = options.headers ?? true;
  }

  get isForPeople(): boolean {
    return this.format === 'table' || this.format === 'wide';
  }

  async list<Row>({ rows, columns, name, json }: List<Row>): Promise<void> {
    const values = (): unknown[] => rows.map((row) => (json ? json(row) : row));
    switch (this.format) {
      case 'table':
      case 'wide':
        return this.#table(
          columns.filter((column) => this.format === 'wide' || !column.wide),
          rows,
        );
      case 'csv':
        return this.#csv(columns, rows);
      case 'name':
        return this.lines(rows.map((row) => cleanLine(name(row))));
      case 'ndjson':
        return this.lines(values().map((value) => JSON.stringify(value)));
      case 'json':
      case 'yaml':
        return this.#document(values());
    }
  }

  /** One thing: its fields below each other for people, the value itself for programs. */
  async one(value: unknown, name: string, fields: readonly (readonly [string, Cell])[]): Promise<void> {
    switch (this.format) {
      case 'table':
      case 'wide': {
        const widest = Math.max(...fields.map(([label]) => label.length));
        const style = styleFor(this.#io, this.#io.out);
        return this.lines(
          fields.map(([label, cell]) => {
            const { text, paint } = this.#render(cell);
            return `${style.dim(label.padEnd(widest))}  ${paint(text)}`;
          }),
        );
      }
      case 'csv':
        return this.lines([
          ...(this.#headers ? [csvLine(fields.map(([label]) => label))] : []),
          csvLine(fields.map(([, cell]) => cellForPrograms(cell))),
        ]);
      case 'name':
        return this.lines([cleanLine(name)]);
      case 'ndjson':
        return this.lines([JSON.stringify(value)]);
      case 'json':
      case 'yaml':
        return this.#document(value);
    }
  }

  lines(lines: readonly string[]): void {
    if (lines.length > 0) this.#io.out.write(`${lines.join('\n')}\n`);
  }

  async #document(value: unknown): Promise<void> {
    if (this.format === 'json') return this.lines([JSON.stringify(value, null, 2)]);
    const { stringify } = await import('yaml');
    this.#io.out.write(stringify(value));
  }

  #table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    if (rows.length === 0) return;
    const cells = rows.map((row) => columns.map((column) => this.#render(column.cell(row))));
    const style = styleFor(this.#io, this.#io.out);
    const width = this.#io.out.isTTY ? this.#io.out.columns : null;
    this.lines(tableLines(columns, cells, { width, headers: this.#headers, paintHeader: style.dim }));
  }

  #csv<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    const head = columns.map(({ header }) => header.toLowerCase().replaceAll(' ', '_'));
    const lines = rows.map((row) => csvLine(columns.map((column) => cellForPrograms(column.cell(row)))));
    this.lines(this.#headers ? [csvLine(head), ...lines] : lines);
  }

  #render(cell: Cell): RenderedCell {
    if (this.#io.out.isTTY) return cellForPeople(cell, styleFor(this.#io, this.#io.out), this.#io.now());
    return { text: cellForPrograms(cell) || '-', paint: (text) => text };
  }
}
