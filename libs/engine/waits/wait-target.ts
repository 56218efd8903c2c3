import type { CompiledTask, TaskBody, WaitCondition, WaitTarget } from '#core';
import { readsFrom, unreachable } from '#core';
import type { Scope } from '#dag';
import { evaluate, namesIn, renderAddress, renderTemplate, renderValues } from '#dag';
import type { OwnedRun } from '../owned-run.ts';
import { taskScope } from '../scope.ts';

/** A wait resolved: what is looked at, in words, and what tells of it. */
export type ResolvedWait =
  | { readonly ok: true; readonly target: WaitTarget; readonly what: string; readonly subject: string | null }
  | { readonly ok: false; readonly message: string };

/** Beyond this much, what an expression sees does not belong into a row. */
const MOST_SCOPE_BYTES = 64 * 1024;

/** Renders what a `wait`, `approve` or `call` task waits for. A mistake that only shows now is a message. */
export function resolveWait(run: OwnedRun, taskIndex: number, task: CompiledTask): ResolvedWait {
  const scope = taskScope(run, null);
  const { body } = task;
  if (body.kind === 'approve') return resolveApproval(body, scope);
  if (body.kind === 'call') return resolveCall(run, body, scope);
  if (body.kind !== 'wait') return { ok: false, message: `a ${body.kind} task does not wait` };
  const { condition } = body;
  switch (condition.kind) {
    case 'path':
      return resolvePath(condition.at, scope);
    case 'dataset':
    case 'run':
      return resolveOther(run, condition);
    case 'http':
      return resolveHttp(condition, scope);
    case 'time':
      return resolveTime(condition.expr, scope);
    case 'expr': {
      const seen = seenBy(condition.expr, scope);
      if (!seen.ok) return seen;
      const target = { kind: 'expr' as const, expr: condition.expr, scope: seen.scope };
      return { ok: true, target, what: `\`${condition.expr}\``, subject: null };
    }
    default:
      return unreachable(condition);
  }
}

function resolveApproval({ message, groups }: Extract<TaskBody, { kind: 'approve' }>, scope: Scope): ResolvedWait {
  const rendered = renderTemplate(message, scope);
  if (!rendered.ok) return { ok: false, message: `its message: ${rendered.message}` };
  return { ok: true, target: { kind: 'approve', groups }, what: rendered.value, subject: null };
}

function resolveCall(
  { record }: OwnedRun,
  { pipeline, params }: Extract<TaskBody, { kind: 'call' }>,
  scope: Scope,
): ResolvedWait {
  const values = renderValues(params, scope);
  if (!values.ok) return values;
  const bytes = Buffer.byteLength(JSON.stringify(values.value));
  if (bytes > MOST_SCOPE_BYTES)
    return { ok: false, message: `the parameters for ${pipeline} have ${bytes} bytes; at most ${MOST_SCOPE_BYTES}` };
  const target = { kind: 'call' as const, pipeline, params: values.value, runId: null };
  return { ok: true, target, what: `its run of ${pipeline}`, subject: `${record.environment}/${pipeline}` };
}

function resolvePath(at: string, scope: Scope): ResolvedWait {
  const rendered = renderTemplate(at, scope);
  if (!rendered.ok) return { ok: false, message: `its path: ${rendered.message}` };
  const location = rendered.value;
  if (location.split('/').some((part) => /^\.*$/.test(part) || part === '.sluice' || /[\0\\]/.test(part)))
    return { ok: false, message: `its path renders to "${location}", which leaves the environment's storage` };
  return { ok: true, target: { kind: 'path', location }, what: `path ${location}`, subject: null };
}

function resolveOther(
  { record, environment }: OwnedRun,
  condition: Extract<WaitCondition, { kind: 'dataset' | 'run' }>,
): ResolvedWait {
  const { pipeline } = condition;
  const covers = record.intervalEnd;
  const interval = covers === null ? '' : ` of the interval in which ${covers} lies`;
  if (condition.kind === 'dataset') {
    const { path } = condition;
    const source = readsFrom(environment.config, pipeline, path);
    const target = { kind: 'dataset' as const, environment: source, pipeline, path, covers };
    return {
      ok: true,
      target,
      what: `data at ${pipeline}.${path}${interval}`,
      subject: `${source}/${pipeline}.${path}`,
    };
  }
  if (covers === null)
    return {
      ok: false,
      message: `it waits for the run of ${pipeline} for the same interval, and this run has none; trigger it with --at or --from/--to`,
    };
  const target = { kind: 'run' as const, environment: record.environment, pipeline, covers };
  return {
    ok: true,
    target,
    what: `a successful run of ${pipeline}${interval}`,
    subject: `${record.environment}/${pipeline}`,
  };
}

function resolveHttp(condition: Extract<WaitCondition, { kind: 'http' }>, scope: Scope): ResolvedWait {
  const url = renderAddress(condition.url, scope);
  if (!url.ok) return url;
  const headers: Record<string, string> = {};
  for (const [name, text] of Object.entries(condition.headers)) {
    const value = renderTemplate(text, scope);
    if (!value.ok) return { ok: false, message: `its header ${name}: ${value.message}` };
    headers[name] = value.value.replace(/[\r\n]/g, ' ');
  }
  const seen = condition.expr === null ? { ok: true as const, scope: {} } : seenBy(condition.expr, scope);
  if (!seen.ok) return seen;
  const { status, expr, bearer } = condition;
  const { origin, pathname } = new URL(url.value);
  const target = { kind: 'http' as const, url: url.value, status, expr, headers, bearer, scope: seen.scope };
  // Without the query, which may name what is nobody's business.
  return { ok: true, target, what: `${origin}${pathname}`, subject: null };
}

function resolveTime(expr: string, scope: Scope): ResolvedWait {
  const value = evaluate(expr, scope);
  if (!value.ok) return { ok: false, message: `its time: ${value.message}` };
  const at = typeof value.value === 'string' ? Date.parse(value.value) : Number.NaN;
  if (Number.isNaN(at))
    return { ok: false, message: `its time \`${expr}\` gave ${JSON.stringify(value.value)}; an instant was expected` };
  const instant = new Date(at).toISOString();
  return { ok: true, target: { kind: 'time', at: instant }, what: `time ${instant}`, subject: null };
}

/** What of the scope an expression names: it is evaluated where the run is not in memory. */
function seenBy(
  expr: string,
  scope: Scope,
): { ok: true; scope: Readonly<Record<string, unknown>> } | { ok: false; message: string } {
  const names = namesIn(expr);
  const seen = Object.fromEntries(Object.entries(scope).filter(([name]) => names.includes(name)));
  const bytes = Buffer.byteLength(JSON.stringify(seen));
  if (bytes <= MOST_SCOPE_BYTES) return { ok: true, scope: seen };
  return {
    ok: false,
    message: `its expression \`${expr}\` sees ${bytes} bytes; at most ${MOST_SCOPE_BYTES} are kept for a wait`,
  };
}
