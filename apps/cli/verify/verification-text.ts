import type { VerificationShape } from '#contracts';
import type { Cell } from '../output/cell.ts';
import { cleanLine } from '../output/clean-text.ts';
import { taskName, type NamedTaskRun } from '../output/task-name.ts';
import type { Style } from '../output/style.ts';

const VERDICTS = {
  reproducible: ['= reproducible', 'green'],
  drifted: ['≠ drifted', 'red'],
  not_comparable: ['? not comparable', 'yellow'],
} as const;
const CHANGES = { added: '+', removed: '-', changed: '~' } as const;

export function verificationFields(one: VerificationShape): readonly (readonly [string, Cell])[] {
  return [
    ['verdict', verdictCell(one.verdict)],
    ['detail', one.detail],
    ['run', one.runId],
    ['again in', one.shadowRunId],
    ['files', one.verdict === null ? null : `${one.files}, ${one.drifted} of them not the same`],
    ['asked by', one.sampled ? `${one.actor}, by chance` : one.actor],
    ['asked', { kind: 'instant', at: one.requestedAt }],
    ['found', { kind: 'instant', at: one.finishedAt }],
  ];
}

function verdictCell(verdict: VerificationShape['verdict']): Cell {
  if (verdict === null) return null;
  const [text, colour] = VERDICTS[verdict];
  return { kind: 'marks', text, paint: (style) => style[colour](text), plain: verdict };
}

/** Every file that is not the same, in the order of tasks, and tasks that say something without one; nothing when there are none. */
export function driftLines({ tasks, drifts, drifted }: VerificationShape, style: Style): string[] {
  const nameOf = (task: NamedTaskRun): string => cleanLine(taskName(task));
  const told = tasks.filter(({ reason }) => reason !== null);
  const left = drifted - drifts.length;
  const lines = [
    ...told.map((task) => `${nameOf(task)}: ${style.dim(cleanLine(task.reason ?? ''))}`),
    ...drifts.map((drift) => {
      const line = `${CHANGES[drift.change]} ${nameOf(drift)}  ${cleanLine(`${drift.output}/${drift.file}`)}`;
      return drift.change === 'added'
        ? style.green(line)
        : drift.change === 'removed'
          ? style.red(line)
          : style.yellow(line);
    }),
    ...(left > 0 ? [style.dim(`… and ${left} more`)] : []),
  ];
  return lines.length === 0 ? [] : ['', ...lines];
}
