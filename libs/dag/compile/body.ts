import type { TaskBody } from '#core';
import { TASK_KINDS, type TaskShape } from '../shape/task-shape.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import { bindShell } from '../text/shell-text.ts';
import { bindSql } from '../text/sql-text.ts';
import type { BoundText } from '../text/bound-text.ts';
import type { Names } from '../expression/check-expression.ts';
import type { Compiling } from './compiling.ts';
import { httpBody } from './http-body.ts';
import { notebookBody } from './notebook-body.ts';
import { sparkBody } from './spark-body.ts';
import { checkFile } from './task-files.ts';
import { approveBody, callBody, checkWaitKeys, waitBody } from './wait-body.ts';

/** What the task executes; null when it is not clear, which is then reported. */
export function compileBody(shape: TaskShape, path: Path, names: Names, compiling: Compiling): TaskBody | null {
  const [kind, second] = TASK_KINDS.filter((candidate) => shape[candidate] !== undefined);
  const id = quote(path.at(-1));
  if (kind === undefined) {
    compiling.atKey(
      path,
      `Task ${id} has nothing to execute; expected one of ${TASK_KINDS.join(', ')}.`,
      'Add `run: …`.',
    );
    return null;
  }
  if (second !== undefined) {
    compiling.atKey(
      [...path, second],
      `Task ${id} has both ${kind} and ${second}; expected exactly one of ${TASK_KINDS.join(', ')}.`,
      'Split it into two tasks.',
    );
    return null;
  }
  const place = [...path, kind];
  if (shape.with !== undefined && kind !== 'uses')
    compiling.atKey([...path, 'with'], `with has no meaning with ${kind}.`, 'Use `env:`, or `uses: name@1`.');
  if (kind === 'http') return httpBody(shape, place, names, compiling);
  if (kind === 'notebook') return notebookBody(shape, place, names, compiling);
  if (kind === 'spark') return sparkBody(shape.spark ?? '', place, names, compiling);
  if (kind === 'uses') {
    const [plugin = '', wanted = ''] = (shape.uses ?? '').split('@');
    compiling.checkTree(shape.with ?? {}, [...path, 'with'], names);
    return { kind, plugin, wanted, with: shape.with ?? {}, found: null };
  }
  if (kind === 'wait' || kind === 'approve' || kind === 'call') {
    checkWaitKeys(shape, path, compiling);
    if (kind === 'call') return callBody(shape.call ?? '', shape, place, names, compiling);
    return kind === 'wait'
      ? waitBody(shape.wait ?? {}, place, names, compiling)
      : approveBody(shape.approve ?? '', place, names, compiling);
  }
  const written = shape[kind] ?? '';
  switch (kind) {
    case 'run': {
      const bound = checked(bindShell(written), written, place, names, compiling);
      return { kind, script: bound.text, expressions: bound.expressions };
    }
    case 'sql':
      return sqlBody(written, place, names, compiling);
    case 'node':
      return nodeBody(written, place, compiling);
    case 'python':
      return pythonBody(written, place, compiling);
  }
}

/** Files that a body names, relative to `dags/`. */
export function filesOf(body: TaskBody): string[] {
  const more = body.kind === 'spark' ? body.pyFiles : [];
  return 'file' in body && body.file !== null ? [body.file, ...more] : [];
}

function checked(bound: BoundText, written: string, place: Path, names: Names, compiling: Compiling): BoundText {
  for (const fault of bound.faults) compiling.within(place, fault);
  // An unclosed `${{` is among the faults already.
  if (bound.faults.length === 0 || Object.keys(bound.expressions).length > 0)
    compiling.checkTemplate(written, place, names);
  return bound;
}

function sqlBody(written: string, place: Path, names: Names, compiling: Compiling): TaskBody {
  if (/^\S+\.sql$/.test(written)) {
    checkFile(written, place, compiling);
    return { kind: 'sql', file: written, text: null, expressions: {} };
  }
  const bound = checked(bindSql(written), written, place, names, compiling);
  return { kind: 'sql', file: null, text: bound.text, expressions: bound.expressions };
}

function nodeBody(written: string, place: Path, compiling: Compiling): TaskBody | null {
  const match = /^([^#\s]+\.(?:[cm]?[jt]s))#([A-Za-z_$][\w$]*)$/.exec(written);
  if (match === null) {
    const hint = 'Write for example churn/evaluate.ts#evaluate.';
    compiling.at(
      place,
      `node is ${quote(written)}; expected file#export with a .js, .mjs, .cjs, .ts or .mts file.`,
      hint,
    );
    return null;
  }
  const [, file = '', exported = ''] = match;
  checkFile(file, place, compiling);
  return { kind: 'node', file, export: exported };
}

function pythonBody(written: string, place: Path, compiling: Compiling): TaskBody | null {
  const match = /^([^:\s]+?)(?::([A-Za-z_]\w*))?$/.exec(written);
  const [, target = '', called = null] = match ?? [];
  if (target.endsWith('.py')) {
    checkFile(target, place, compiling);
    return { kind: 'python', file: target, module: null, function: called };
  }
  if (/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(target) && called !== null)
    return { kind: 'python', file: null, module: target, function: called };
  const hint = 'Write for example churn/train.py, churn/train.py:main or churn.train:main.';
  compiling.at(place, `python is ${quote(written)}; expected file.py, file.py:function or module:function.`, hint);
  return null;
}
