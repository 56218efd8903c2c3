import { quote } from '../source/quote.ts';
import type { AirflowTask } from './airflow-dag.ts';
import type { Conversion } from './conversion.ts';
import { NotCarried, textIn } from './template-value.ts';

/** The address of an HTTP operator: whom a connection names is named by the environment. Throws NotCarried. */
export function addressOf(
  task: AirflowTask,
  conversion: Conversion,
  query: Readonly<Record<string, unknown>> = {},
): string {
  const { args } = task;
  const connection = args.text('http_conn_id') ?? 'http_default';
  const endpoint = textIn(args.text('endpoint') ?? '', task, conversion);
  const pairs = Object.entries(query).map(([key, value]) => {
    if (typeof value === 'object' || value === undefined)
      throw new NotCarried(`its parameter ${quote(key)} is no text`, 'Write it into the address.');
    return `${encodeURIComponent(key)}=${typeof value === 'string' ? encoded(value, task, conversion) : String(value)}`;
  });
  const rest = pairs.length === 0 ? '' : `${endpoint.includes('?') ? '&' : '?'}${pairs.join('&')}`;
  if (/^https?:\/\/[^/?#$]+/.test(endpoint)) return `${endpoint}${rest}`;
  const variable = connection.replace(/\W/g, '_').replace(/^(?=\d)/, 'x');
  conversion.report.changed(
    task.place,
    `Task "${task.id}" asks the connection "${connection}" as env.vars.${variable}.`,
    `Set it in each environments/<name>.yaml: \`vars: { ${variable}: "https://…" }\`; its password belongs under \`secrets:\`, with \`bearer:\` or \`headers:\`.`,
  );
  const path = endpoint.replace(/^\/+/, '');
  return `\${{ env.vars.${variable} }}${path === '' ? '' : `/${path}`}${rest}`;
}

/** Literal text is encoded here, values when they are known. */
function encoded(value: string, task: AirflowTask, conversion: Conversion): string {
  return textIn(value, task, conversion)
    .split(/(\$\{\{.*?\}\})/)
    .map((piece) => (piece.startsWith('${{') ? piece : encodeURIComponent(piece)))
    .join('');
}
