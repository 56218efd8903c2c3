import { parseProgram } from '../expression/program.ts';

/** What the templates of one task can refer to. */
export interface TemplateScope {
  readonly dagId: string;
  readonly taskId: string;
  /** Sluice's name of a declared parameter. */
  readonly paramOf: (name: string) => string | undefined;
  /** CEL for an output of a task that runs before this one. */
  readonly outputOf: (task: string, key: string) => string | undefined;
  /** Told of each Variable that is used: it has to be set somewhere. */
  readonly onVariable: (name: string) => void;
}

export type TemplatePart =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'expression'; readonly expression: string };

export type Templated =
  | { readonly ok: true; readonly parts: readonly TemplatePart[] }
  /** The first template that has no counterpart. */
  | { readonly ok: false; readonly written: string; readonly hint: string };

/** A text with Jinja in it as text and CEL. */
export function convertTemplate(text: string, scope: TemplateScope): Templated {
  const parts: TemplatePart[] = [];
  let from = 0;
  for (const match of text.matchAll(/\{\{-?([\s\S]*?)-?\}\}|\{%[\s\S]*?%\}|\{#[\s\S]*?#\}/g)) {
    const [written, inner] = match;
    if (match.index > from) parts.push({ kind: 'text', text: text.slice(from, match.index) });
    from = match.index + written.length;
    if (written.startsWith('{#')) continue;
    if (inner === undefined)
      return {
        ok: false,
        written,
        hint: 'Jinja statements have no counterpart: decide in the task itself, or with `if`.',
      };
    const found = convertExpression(inner.trim(), scope);
    if (typeof found !== 'string' && 'literal' in found) parts.push({ kind: 'text', text: found.literal });
    else if (typeof found === 'string' && parseProgram(found).ok) parts.push({ kind: 'expression', expression: found });
    else return { ok: false, written, hint: typeof found === 'string' ? UNKNOWN : found.hint };
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) });
  return { ok: true, parts };
}

/** The text with `${{ }}` where its parts are expressions. */
export function joinTemplate(parts: readonly TemplatePart[]): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : `\${{ ${part.expression} }}`)).join('');
}

const UNKNOWN =
  'Expressions are CEL and know ds, ts, data_interval_start, params, env, run and tasks; else calculate in the task.';

const SAME: Readonly<Record<string, string>> = {
  ds: 'ds',
  ds_nodash: 'ds_nodash',
  ts: 'ts',
  data_interval_start: 'data_interval_start',
  data_interval_end: 'data_interval_end',
  logical_date: 'data_interval_start',
  execution_date: 'data_interval_start',
  next_execution_date: 'data_interval_end',
  'dag_run.logical_date': 'data_interval_start',
  'dag_run.data_interval_start': 'data_interval_start',
  'dag_run.data_interval_end': 'data_interval_end',
  'logical_date|ds': 'ds',
  'execution_date|ds': 'ds',
  'data_interval_start|ds': 'ds',
  'logical_date|ds_nodash': 'ds_nodash',
  'execution_date|ds_nodash': 'ds_nodash',
  'data_interval_start|ds_nodash': 'ds_nodash',
  'logical_date|ts': 'ts',
  'data_interval_start|ts': 'ts',
  'logical_date.isoformat()': 'ts',
  'data_interval_start.isoformat()': 'ts',
  'data_interval_end.isoformat()': 'data_interval_end',
  'data_interval_end|ts': 'data_interval_end',
  run_id: 'run.id',
  'dag_run.run_id': 'run.id',
  'dag_run.run_type': 'run.trigger',
};

function convertExpression(written: string, scope: TemplateScope): string | { literal: string } | { hint: string } {
  const text = written.replace(/\s*([|.()[\],=])\s*/g, '$1');
  if (Object.hasOwn(SAME, text)) return SAME[text] ?? '';
  if (/^(dag\.dag_id|dag_run\.dag_id)$/.test(text)) return { literal: scope.dagId };
  if (/^(task|ti|task_instance)\.task_id$/.test(text)) return { literal: scope.taskId };
  const param = nameIn(text, 'params') ?? nameIn(text, 'dag_run.conf');
  if (param !== undefined) {
    const name = scope.paramOf(param);
    return name === undefined
      ? { hint: `Declare ${param} under \`params:\` and use \${{ params.… }}.` }
      : `params.${name}`;
  }
  const variable = nameIn(text, 'var.value') ?? nameIn(text, 'var.json');
  if (variable !== undefined && /^[A-Za-z_]\w*$/.test(variable)) {
    scope.onVariable(variable);
    return `env.vars.${variable}`;
  }
  if (text.startsWith('conn.'))
    return { hint: 'Name the connection under `secrets:` of the task and read the variable.' };
  if (text.startsWith('macros.')) return { hint: 'Calculate it in the task, from "$DATA_INTERVAL_START" for example.' };
  return pulled(text, scope) ?? { hint: UNKNOWN };
}

/** `params.x`, `params['x']`, `params.get('x')`, `params.get('x',…)` is refused: the default would be lost. */
function nameIn(text: string, holder: string): string | undefined {
  if (!text.startsWith(holder)) return undefined;
  const rest = text.slice(holder.length);
  const [, dotted, quoted, gotten] =
    /^(?:\.([A-Za-z_]\w*)|\[(?:'|")([^'"\]]+)(?:'|")\]|\.get\((?:'|")([^'"]+)(?:'|")\))$/.exec(rest) ?? [];
  return dotted === 'get' ? undefined : (dotted ?? quoted ?? gotten);
}

function pulled(text: string, scope: TemplateScope): string | { hint: string } | null {
  const [, args] = /^(?:ti|task_instance)\.xcom_pull\((.*)\)(?:\[0\])?$/.exec(text) ?? [];
  if (args === undefined) return null;
  const [, task] = /(?:^|task_ids=)\[?['"]([^'"]+)['"]\]?/.exec(args) ?? [];
  const [, key = 'return_value'] = /key=['"]([^'"]+)['"]/.exec(args) ?? [];
  const found = task === undefined ? undefined : scope.outputOf(task, key);
  return found ?? { hint: 'Use ${{ tasks.<id>.outputs.<name> }} of a task that runs before this one.' };
}
