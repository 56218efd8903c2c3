import type { RunDiffShape } from '#contracts';
import { cleanLine } from '../output/clean-text.ts';
import type { Style } from '../output/style.ts';
import { taskName } from '../output/task-name.ts';
import { durationText } from '../output/time.ts';
import { diffRows } from '../release/diff-lines.ts';

type Row = {
  readonly what: string;
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before: string;
  readonly after: string;
};

const LONGEST_VALUE = 200;

/** One row for every difference, timing included, for programs that read tables. */
export function runDiffRows(diff: RunDiffShape): Row[] {
  const row = (what: string, name: string, before: unknown, after: unknown): Row => ({
    what,
    name,
    change:
      before === null || before === undefined ? 'added' : after === null || after === undefined ? 'removed' : 'changed',
    before: valueText(before),
    after: valueText(after),
  });
  return [
    ...diff.facts.map(({ field, before, after }) => row('run', field, before, after)),
    ...diff.params.map(({ field, before, after }) => row('param', field, before, after)),
    ...diffRows({ pipelines: diff.pipelines, files: [] }).map(({ what, name, field, change, before, after }) => ({
      ...{ what, change, before, after },
      name: field === '' ? name : `${name} ${field}`,
    })),
    ...diff.inputs.map(({ taskId, name, part, before, after }) =>
      row(
        'input',
        `${taskId}.${name}${part === '' ? '' : ` ${part}`}`,
        before?.manifestHash.slice(0, 12),
        after?.manifestHash.slice(0, 12),
      ),
    ),
    ...diff.outputs.map((file) =>
      row(
        'file',
        `${taskName(file)} ${file.output}/${file.file}`,
        file.before?.sha256.slice(0, 12),
        file.after?.sha256.slice(0, 12),
      ),
    ),
    ...diff.gone.map((name) => ({
      what: 'file',
      name,
      change: 'changed' as const,
      before: '',
      after: 'gone: not compared',
    })),
    ...diff.metrics.map((metric) => row('metric', `${taskName(metric)}.${metric.name}`, metric.before, metric.after)),
    ...diff.timing.map((one) => row('timing', taskName(one), timeText(one.before), timeText(one.after))),
  ];
}

/** The same for people, a heading for each kind. */
export function runDiffLines(diff: RunDiffShape, style: Style): string[] {
  const lines: string[] = [];
  let before = '';
  for (const row of runDiffRows(diff)) {
    if (row.what !== before) lines.push(...(lines.length > 0 ? [''] : []), style.bold(HEADINGS[row.what] ?? row.what));
    before = row.what;
    lines.push(`  ${lineOf(row, style)}`);
  }
  return lines;
}

const HEADINGS: Readonly<Record<string, string>> = {
  run: 'Run',
  param: 'Parameters',
  pipeline: 'Pipeline',
  task: 'Tasks',
  input: 'Inputs',
  file: 'Files',
  metric: 'Metrics',
  timing: 'Timing',
};

function lineOf({ name, change, before, after }: Row, style: Style): string {
  const shown = cleanLine(name);
  if (change === 'added') return `${style.green(`+ ${shown}`)}${after === '' ? '' : `: ${after}`}`;
  if (change === 'removed') return `${style.red(`- ${shown}`)}${before === '' ? '' : `: ${before}`}`;
  return before === after ? `  ${shown}: ${after}` : `${style.yellow(`~ ${shown}`)}: ${before} → ${after}`;
}

function timeText(side: RunDiffShape['timing'][number]['before']): string | null {
  if (side === null) return null;
  const tries = side.tries > 1 ? `, ${side.tries} tries` : '';
  return `${side.state}${side.durationMs === null ? '' : ` in ${durationText(side.durationMs)}`}${tries}`;
}

function valueText(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = cleanLine(typeof value === 'string' ? value : JSON.stringify(value));
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
