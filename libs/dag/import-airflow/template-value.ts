import { quote } from '../source/quote.ts';
import type { AirflowTask } from './airflow-dag.ts';
import { expressionOf, templateScope, type Conversion } from './conversion.ts';
import { convertTemplate, joinTemplate, type TemplatePart } from './template.ts';
import { isMap, TypedValue } from './typed-value.ts';

/** Why something of an operator cannot be carried over. */
export class NotCarried extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = 'NotCarried';
    this.hint = hint;
  }
}

/** A text with Jinja in it, as parts; throws NotCarried. */
export function partsIn(text: string, task: AirflowTask, conversion: Conversion): readonly TemplatePart[] {
  const templated = convertTemplate(text, templateScope(task, conversion));
  if (!templated.ok) throw new NotCarried(`it holds ${quote(templated.written)}`, templated.hint);
  if (templated.parts.some((part) => part.kind === 'text' && part.text.includes('${{')))
    throw new NotCarried('it holds "${{", which begins an expression here', 'Write "$" and "{{" apart.');
  return templated.parts;
}

/** The same as a text of a pipeline file; throws NotCarried. */
export function textIn(text: string, task: AirflowTask, conversion: Conversion): string {
  return joinTemplate(partsIn(text, task, conversion));
}

/** A JSON value with templates in its texts; throws NotCarried, also for what only Python knows. */
export function valueIn(value: unknown, task: AirflowTask, conversion: Conversion): unknown {
  if (typeof value === 'string') return textIn(value, task, conversion);
  if (Array.isArray(value)) return value.map((item) => valueIn(item, task, conversion));
  if (value instanceof TypedValue) {
    const expression = expressionOf(value, task, conversion);
    if (expression === undefined) throw new NotCarried(`it holds a ${value.type}`, 'Write the value itself.');
    return `\${{ ${expression} }}`;
  }
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, valueIn(member, task, conversion)]));
}
