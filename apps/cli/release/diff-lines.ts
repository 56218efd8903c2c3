import type { ReleaseDiff } from '#contracts';
import { cleanLine } from '../output/clean-text.ts';
import type { Style } from '../output/style.ts';

type Change = 'added' | 'removed' | 'changed';
type FieldChange = ReleaseDiff['pipelines'][number]['fields'][number];

const LONGEST_VALUE = 200;

/** Pipelines, their tasks and fields, then files, for people; nothing when they are the same. */
export function diffLines({ pipelines, files }: Pick<ReleaseDiff, 'pipelines' | 'files'>, style: Style): string[] {
  return [
    ...pipelines.flatMap(({ pipeline, change, fields, tasks }) => [
      mark(style, change, `pipeline ${pipeline}`),
      ...fields.map((field) => `    ${fieldLine(style, field)}`),
      ...tasks.flatMap((task) => [
        `    ${mark(style, task.change, `task ${task.task}`)}`,
        ...task.fields.map((field) => `        ${fieldLine(style, field)}`),
      ]),
    ]),
    ...files.map(({ path, change, before, after }) => mark(style, change, `dags/${path}${modeNote(before, after)}`)),
  ];
}

/** One row for every change, for programs that read tables. */
export function diffRows({ pipelines, files }: Pick<ReleaseDiff, 'pipelines' | 'files'>) {
  const row = (what: string, name: string, change: Change, field = '', sides: Omit<FieldChange, 'field'> = {}) => ({
    ...{ what, name, change, field },
    ...{ before: valueText(sides.before), after: valueText(sides.after) },
  });
  return [
    ...pipelines.flatMap(({ pipeline, change, fields, tasks }) => [
      ...(change === 'changed' ? [] : [row('pipeline', pipeline, change)]),
      ...fields.map((one) => row('pipeline', pipeline, change, one.field, one)),
      ...tasks.flatMap((task) => [
        ...(task.change === 'changed' ? [] : [row('task', `${pipeline}/${task.task}`, task.change)]),
        ...task.fields.map((one) => row('task', `${pipeline}/${task.task}`, task.change, one.field, one)),
      ]),
    ]),
    ...files.map(({ path, change, before, after }) =>
      row('file', `dags/${path}`, change, '', { before: before?.sha256, after: after?.sha256 }),
    ),
  ];
}

function mark(style: Style, change: Change, text: string): string {
  const clean = cleanLine(text);
  if (change === 'added') return style.green(`+ ${clean}`);
  return change === 'removed' ? style.red(`- ${clean}`) : style.yellow(`~ ${clean}`);
}

/** `pools.default: 8 → 16`, in one line. */
export function fieldLine(style: Style, { field, before, after }: FieldChange): string {
  const name = cleanLine(field);
  if (before === undefined) return `${name}: ${style.green(valueText(after))}`;
  if (after === undefined) return `${name}: ${style.red(valueText(before))} removed`;
  return `${name}: ${style.red(valueText(before))} → ${style.green(valueText(after))}`;
}

function modeNote(before: { executable: boolean } | null, after: { executable: boolean } | null): string {
  if (before === null || after === null || before.executable === after.executable) return '';
  return after.executable ? ' (now executable)' : ' (no longer executable)';
}

/** A value in one line, cut where it is long. */
export function valueText(value: unknown): string {
  if (value === undefined) return '';
  const text = cleanLine(typeof value === 'string' && value !== '' ? value : JSON.stringify(value));
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
