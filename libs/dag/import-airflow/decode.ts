import { isMap, TypedValue } from './typed-value.ts';

/** Nothing that Airflow writes is nested deeper. */
const DEEPEST = 40;

/** A value as Airflow serializes it (`{ __type, __var }` around what JSON has no form for), decoded. */
export function decode(value: unknown, depth = 0): unknown {
  if (depth > DEEPEST) return new TypedValue('nesting', {});
  if (Array.isArray(value)) return value.map((item) => decode(item, depth + 1));
  if (!isMap(value)) return value;
  const { __type: type, __var: inner } = value;
  if (typeof type === 'string' && Object.hasOwn(value, '__var')) return typed(type, inner, depth);
  if (typeof type === 'string') return new TypedValue(type, value);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, decode(member, depth + 1)]));
}

function typed(type: string, inner: unknown, depth: number): unknown {
  switch (type) {
    case 'dict':
    case 'set':
    case 'tuple':
    case 'list':
      return decode(inner, depth + 1);
    case 'timedelta':
      return new TypedValue('timedelta', { seconds: inner });
    case 'datetime':
      return new TypedValue('datetime', { instant: inner });
    case 'xcomref': {
      const { task_id: task, key = 'return_value' } = isMap(inner) ? inner : {};
      return typeof task === 'string' ? new TypedValue('xcom', { task, key }) : new TypedValue('XComArg', {});
    }
    default:
      return new TypedValue(type, isMap(inner) ? inner : {});
  }
}
