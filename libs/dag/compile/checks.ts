import type { CompiledTask, TableCheck, TableTest } from '#core';
import type { Names } from '../expression/check-expression.ts';
import { CHECK_KINDS, type CheckShape } from '../shape/check-shape.ts';
import type { TaskShape } from '../shape/task-shape.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import type { Compiling } from './compiling.ts';
import { msOf } from './retries.ts';

type Checks = Pick<CompiledTask, 'checks' | 'tableChecks'>;

/** Those over outputs and metrics, and those over the rows that the task writes. Names are unique within the task. */
export function compileChecks(shape: TaskShape, path: Path, names: Names, compiling: Compiling): Checks {
  const checks: CompiledTask['checks'][number][] = [];
  const tableChecks: TableCheck[] = [];
  const taken = new Set<string>();
  for (const [index, written] of (shape.checks ?? []).entries()) {
    const place = [...path, 'checks', index];
    const check: CheckShape = typeof written === 'string' ? { expr: written } : written;
    const kind = onlyKind(check, place, compiling);
    if (kind === null) continue;
    if (kind === 'expr') {
      const at = typeof written === 'string' ? place : [...place, 'expr'];
      const expr = compiling.expression(check.expr ?? '', at, names, 'condition');
      if (check.of !== undefined)
        compiling.at([...place, 'of'], 'A check of an expression looks at no path.', 'Remove `of`.');
      if (check.on_fail === 'quarantine')
        compiling.at(
          [...place, 'on_fail'],
          'An expression says nothing about single rows; expected fail or warn.',
          QUARANTINE,
        );
      checks.push({ name: check.name ?? expr, expr, onFail: check.on_fail === 'warn' ? 'warn' : 'fail' });
      checkName(check.name ?? expr, taken, place, compiling);
    } else {
      const compiled = tableCheck(check, kind, shape.writes ?? [], place, compiling);
      if (compiled === null) continue;
      tableChecks.push(compiled);
      checkName(compiled.name, taken, place, compiling);
    }
  }
  return { checks, ...(tableChecks.length > 0 ? { tableChecks } : {}) };
}

function checkName(name: string, taken: Set<string>, place: Path, compiling: Compiling): void {
  if (taken.has(name))
    compiling.at(place, `A second check of this task is called ${quote(name)}.`, 'Give each a `name` of its own.');
  taken.add(name);
}

const QUARANTINE = 'Rows are put aside by not_null, unique, range, values and sql.';

function onlyKind(check: CheckShape, place: Path, compiling: Compiling): (typeof CHECK_KINDS)[number] | null {
  const [kind, second] = CHECK_KINDS.filter((candidate) => check[candidate] !== undefined);
  const expected = `expected exactly one of ${CHECK_KINDS.join(', ')}`;
  if (kind === undefined) compiling.at(place, `The check looks at nothing; ${expected}.`, 'Add `expr: …`.');
  else if (second !== undefined)
    compiling.at(place, `The check has both ${kind} and ${second}; ${expected}.`, 'Split it into two checks.');
  else return kind;
  return null;
}

function tableCheck(
  check: CheckShape,
  kind: Exclude<(typeof CHECK_KINDS)[number], 'expr'>,
  writes: readonly string[],
  place: Path,
  compiling: Compiling,
): TableCheck | null {
  const [only] = writes;
  const of = check.of ?? (writes.length === 1 ? only : undefined);
  if (of === undefined || !writes.includes(of)) {
    const message =
      check.of === undefined
        ? `The check ${kind} looks at rows, but the task writes ${writes.length === 0 ? 'no path' : 'several paths'}.`
        : `The check looks at the path ${quote(check.of)}, which the task does not write.`;
    const hint = writes.length === 0 ? 'Add `writes: […]`.' : `Add \`of:\` with one of ${writes.join(', ')}.`;
    compiling.at(check.of === undefined ? place : [...place, 'of'], message, hint);
    return null;
  }
  const test = testOf(check, place, compiling);
  const onFail = check.on_fail ?? 'fail';
  if (onFail === 'quarantine' && (test.kind === 'rows' || test.kind === 'fresh')) {
    compiling.at([...place, 'on_fail'], `${kind} says nothing about single rows; expected fail or warn.`, QUARANTINE);
    return null;
  }
  return { name: check.name ?? `${of}: ${describe(test)}`, path: of, onFail, test };
}

function testOf(check: CheckShape, place: Path, compiling: Compiling): TableTest {
  const { not_null: notNull, unique, range, values, rows, fresh, sql } = check;
  if (notNull !== undefined) return { kind: 'not_null', columns: [notNull].flat() };
  if (unique !== undefined) return { kind: 'unique', columns: [unique].flat() };
  if (range !== undefined) {
    const { column, min = null, max = null } = range;
    if (min === null && max === null)
      compiling.at([...place, 'range'], 'The range has no bound.', 'Add `min` or `max`.');
    else checkOrder(min, max, [...place, 'range'], compiling);
    return { kind: 'range', column, min, max };
  }
  if (values !== undefined) return { kind: 'values', column: values.column, values: values.in };
  if (rows !== undefined) {
    const { min = null, max = null, last = null, within = null } = rows;
    if ((last === null) !== (within === null))
      compiling.at(
        [...place, 'rows'],
        'last and within belong together.',
        'Write for example { last: 7, within: 0.5 }.',
      );
    else if (min === null && max === null && last === null)
      compiling.at([...place, 'rows'], 'The number of rows has no bound.', 'Add `min`, `max`, or `last` and `within`.');
    else checkOrder(min, max, [...place, 'rows'], compiling);
    return { kind: 'rows', min, max, last, within };
  }
  if (fresh !== undefined) return { kind: 'fresh', column: fresh.column, withinMs: msOf(fresh.within) };
  const text = (sql ?? '').replace(/;\s*$/, '');
  if (text.includes('${{'))
    compiling.at(
      [...place, 'sql'],
      'A check takes no ${{ }}.',
      "Use getvariable('PARAM_<NAME>') or getvariable('DS').",
    );
  return { kind: 'sql', text };
}

function checkOrder(min: number | null, max: number | null, place: Path, compiling: Compiling): void {
  if (min !== null && max !== null && min > max)
    compiling.at(place, `min (${min}) is above max (${max}), so nothing passes.`, 'Swap them.');
}

function describe(test: TableTest): string {
  switch (test.kind) {
    case 'not_null':
      return `${test.columns.join(', ')} not null`;
    case 'unique':
      return `${test.columns.join(', ')} unique`;
    case 'range':
      return `${test.column} in range`;
    case 'values':
      return `${test.column} has known values`;
    case 'rows':
      return test.last === null ? 'number of rows' : `number of rows beside the last ${test.last} runs`;
    case 'fresh':
      return `${test.column} is fresh`;
    case 'sql':
      return 'sql';
  }
}
