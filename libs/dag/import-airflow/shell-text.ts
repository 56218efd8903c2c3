import { splitTemplate } from '../expression/template.ts';
import { bindShell } from '../text/shell-text.ts';
import { placesInShell } from '../text/shell-places.ts';
import { joinTemplate, type TemplatePart } from './template.ts';

export type ConvertedShell =
  | { readonly ok: true; readonly script: string; readonly env: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly message: string; readonly hint: string };

/**
 * A command of which Jinja replaced pieces of text, as one whose values bash never parses. In single quotes a value is
 * set off by double ones; in here-documents and backticks it comes from a variable.
 */
export function convertShell(parts: readonly TemplatePart[]): ConvertedShell {
  const written = joinTemplate(parts);
  const split = splitTemplate(written);
  if (!split.ok)
    return { ok: false, message: 'holds "${{", which begins an expression here', hint: 'Write "$" and "{{" apart.' };
  const expressions = split.parts.filter((part) => part.kind === 'expression');
  const places = expressions.length === 0 ? [] : placesInShell(written, expressions);
  const env: Record<string, string> = {};
  const variable = (expression: string): string => {
    const name = `AIRFLOW_${Object.keys(env).length + 1}`;
    env[name] = expression;
    return `\${${name}}`;
  };
  const isExpanded = !/<<-?\s*['"\\]/.test(written);
  let script = '';
  let next = 0;
  let isClosed = false;
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'text') {
      script += isClosed ? part.text.slice(1) : part.text;
      isClosed = false;
      continue;
    }
    const expression = `\${{ ${part.expression} }}`;
    const place = places[next];
    next += 1;
    const after = parts[index + 1];
    if (place === 'single') {
      // Set off by double quotes; where nothing else stands in the single ones, they go.
      isClosed = script.endsWith("'") && after?.kind === 'text' && after.text.startsWith("'");
      script = isClosed ? `${script.slice(0, -1)}"${expression}"` : `${script}'"${expression}"'`;
    } else if (place === 'comment') script += part.expression;
    else if (place === 'backtick' || (place === 'heredoc' && isExpanded)) script += variable(expression);
    else script += expression;
  }
  const [fault] = bindShell(script).faults;
  if (fault === undefined) return { ok: true, script, env };
  return {
    ok: false,
    message: fault.message.replace(/^An expression /, 'has a template that ').replace(/\.$/, ''),
    hint: fault.hint,
  };
}

/** A script that does nothing but say why, and fail: better than one that does something else than it did. */
export function failingScript(why: string, original: string | null): string {
  const line = `echo ${singleQuoted(why)} >&2; exit 1`;
  if (original === null) return line;
  const kept = original.replaceAll('${{', '$ {{').split(/\r\n|\n|\r/);
  return [line, ...kept.map((text) => `# ${text}`.trimEnd())].join('\n');
}

export function singleQuoted(text: string): string {
  return `'${text.replace(/\s+/g, ' ').replaceAll("'", `'\\''`).replaceAll('${{', '$ {{')}'`;
}
