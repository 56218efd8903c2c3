import type { Gate, PromotionRules } from '#core';
import type { z } from 'zod';
import { parseProgram } from '../expression/program.ts';
import { soleExpression } from '../expression/template.ts';
import type { environmentShape } from '../shape/environment-shape.ts';
import { code, quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import { parseCron } from '../time/cron.ts';
import { isTimeZone } from '../time/zone.ts';
import type { Compiling } from './compiling.ts';
import { msOf } from './retries.ts';

type Shape = z.infer<typeof environmentShape>;
type GateShape = NonNullable<Shape['gates']>[number];

const GATE_KNOWS = ['metrics', 'baseline', 'env'];

export function compilePromotionRules(shape: Shape, compiling: Compiling): PromotionRules {
  const { approvals, verify } = shape;
  const from = shape.from ?? [];
  if (from.includes(shape.name))
    compiling.at(['from'], `from names ${quote(shape.name)} itself.`, 'Name the environment before it.');
  return {
    from,
    gates: [
      ...soakOf(shape, from, compiling),
      ...(shape.gates ?? []).flatMap((gate, index) => compileGate(gate, ['gates', index], shape, compiling)),
      // Last: nobody elsewhere is asked before everything here has passed.
      ...(shape.installation === undefined ? [] : [{ kind: 'installation' as const, ...shape.installation }]),
    ],
    approvals: {
      count: approvals?.count ?? (approvals === undefined ? 0 : 1),
      groups: approvals?.groups ?? [],
      excludeAuthor: approvals?.exclude_author ?? true,
      expiresMs: msOf(approvals?.expires ?? '72h'),
    },
    window: shape.window === undefined ? null : compileWindow(shape.window, compiling),
    verify:
      verify === undefined
        ? null
        : {
            pipelines: [verify.pipelines ?? '*'].flat(),
            runs: verify.runs ?? 1,
            timeoutMs: msOf(verify.timeout ?? '6h'),
          },
    autoRollback: shape.auto_rollback ?? false,
  };
}

function soakOf(shape: Shape, from: readonly string[], compiling: Compiling): Gate[] {
  if (shape.soak === undefined) return [];
  if (from.length === 0)
    compiling.atKey(['soak'], 'soak needs an environment to soak in.', 'Add `from: [test]`, or remove soak.');
  return [{ kind: 'soak', from, ms: msOf(shape.soak) }];
}

function compileGate(gate: GateShape, path: Path, shape: Shape, compiling: Compiling): Gate[] {
  const { smoke, metric, checks, tests, external } = gate;
  if ([smoke, metric, checks, tests, external].filter((one) => one !== undefined).length !== 1) {
    compiling.at(
      path,
      'A gate is one of smoke, metric, checks, tests and external.',
      'Write one list item for each gate.',
    );
    return [];
  }
  if (external !== undefined)
    return [{ kind: 'external', url: external.url, timeoutMs: msOf(external.timeout ?? '30s') }];
  if (tests !== undefined) return [{ kind: 'tests', onMissing: tests.on_missing ?? 'inconclusive' }];
  if ((shape.from ?? []).length === 0)
    compiling.at(path, 'This gate needs an environment to look at.', 'Add `from: [test]` to the file.');
  if (smoke !== undefined)
    return [{ kind: 'smoke', pipelines: [smoke.pipelines ?? '*'].flat(), timeoutMs: msOf(smoke.timeout ?? '30m') }];
  if (checks !== undefined) return [{ kind: 'checks', pipelines: [checks.pipelines ?? '*'].flat() }];
  if (metric === undefined) return [];
  const expr = checkMetricExpression(metric.expr, [...path, 'metric', 'expr'], compiling);
  return [{ kind: 'metric', pipeline: metric.pipeline, expr, onMissing: metric.on_missing ?? 'inconclusive' }];
}

function checkMetricExpression(written: string, path: Path, compiling: Compiling): string {
  const expression = soleExpression(written) ?? written.trim();
  const parsed = parseProgram(expression);
  if (!parsed.ok) {
    const message = `Expression ${code(expression)} is not valid: ${parsed.message}.`;
    compiling.within(path, { offset: parsed.offset, message, hint: 'Write CEL: metrics.auc >= baseline.auc - 0.002' });
    return expression;
  }
  for (const { root, offset } of parsed.program.references)
    if (!GATE_KNOWS.includes(root))
      compiling.within(path, {
        offset,
        message: `The name ${quote(root)} is not known in a gate of an environment.`,
        hint: `Known names: ${GATE_KNOWS.join(', ')}.`,
      });
  return expression;
}

function compileWindow(window: NonNullable<Shape['window']>, compiling: Compiling): PromotionRules['window'] {
  const timezone = window.timezone ?? 'UTC';
  const cron = parseCron(window.cron);
  if (!cron.ok) compiling.at(['window', 'cron'], `window.cron: ${cron.message}.`, cron.hint);
  if (!isTimeZone(timezone))
    compiling.at(
      ['window', 'timezone'],
      `window.timezone is ${quote(timezone)}; expected a name of the IANA database.`,
      'Write Europe/Berlin or UTC.',
    );
  return { cron: window.cron, timezone };
}
