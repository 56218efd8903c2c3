import { parseProgram } from '../expression/program.ts';
import { soleExpression } from '../expression/template.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { code, quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import type { CompilingTest } from './parse-tests.ts';
import type { ExpectedLook } from './pipeline-test.ts';
import { checkTaskRef, taskIdOf } from './task-ref.ts';

const KNOWN = ['outputs', 'metrics', 'params', 'env', 'run', 'ds'];

/** Whether what a test expects can be there at all. */
export function checkExpectation({ expect, path: below }: ExpectedLook, within: CompilingTest): void {
  const { compiling, pipeline } = within;
  const path = [...within.path, ...below];
  for (const [index, attempt] of (expect.attempts ?? []).entries()) {
    const place = [...path, 'attempts', index];
    const [ref = ''] = attempt.split('#');
    if (/^[a-z][a-z0-9_]{0,62}(\[[^\]]+\])?#[1-9]\d{0,5}$/.test(attempt)) checkTaskRef(ref, place, within);
    else compiling.at(place, `${quote(attempt)} is no attempt.`, 'Write task#1, or task[key]#1.');
  }
  for (const [ref, task] of Object.entries(expect.tasks ?? {})) {
    const place = [...path, 'tasks', ref];
    checkTaskRef(ref, place, within);
    if (typeof task === 'string') continue;
    const expressions = [task.that ?? []].flat();
    expressions.forEach((one, index) =>
      checkThat(one, [...place, 'that', ...(Array.isArray(task.that) ? [index] : [])], within),
    );
    const writes = pipeline.tasks.find(({ id }) => id === taskIdOf(ref))?.writes ?? [];
    for (const name of Object.keys(task.wrote ?? {}))
      if (!writes.includes(name))
        compiling.atKey(
          [...place, 'wrote', name],
          `Task ${quote(taskIdOf(ref))} does not write ${quote(name)}.`,
          didYouMean(name, writes, writes.length === 0 ? 'It writes nothing.' : `It writes ${writes.join(', ')}.`),
        );
  }
}

function checkThat(written: string, path: Path, { compiling }: CompilingTest): void {
  const expression = soleExpression(written) ?? written;
  const parsed = parseProgram(expression);
  if (!parsed.ok) {
    const message = `Expression ${code(expression)} is not valid: ${parsed.message}.`;
    return compiling.within(path, { offset: parsed.offset, message, hint: 'Write CEL: outputs.rows > 0' });
  }
  for (const { root, offset } of parsed.program.references)
    if (!KNOWN.includes(root))
      compiling.within(path, {
        offset,
        message: `The name ${quote(root)} is not known in an expectation.`,
        hint: didYouMean(root, KNOWN, `Known names: ${KNOWN.join(', ')}.`),
      });
}
