import { isMap, secondsOf, textOf, TypedValue, UNIT_SECONDS } from './typed-value.ts';

/** A value of a dag-factory file (`__type__`, `__args__`, `__join__`, `__and__`, `__or__`), decoded. */
export function factoryValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(factoryValue);
  if (!isMap(value)) return value;
  if (Array.isArray(value.__join__)) return value.__join__.map((part) => textOf(factoryValue(part))).join('');
  if (Object.hasOwn(value, '__and__') || Object.hasOwn(value, '__or__')) {
    const of = (list: unknown): unknown => (Array.isArray(list) ? list.map(factoryValue) : [factoryValue(list)]);
    return new TypedValue(
      'assets',
      value.__and__ === undefined ? { any: of(value.__or__) } : { all: of(value.__and__) },
    );
  }
  const { __type__: type, __args__: args, ...members } = value;
  const decoded = Object.fromEntries(Object.entries(members).map(([key, member]) => [key, factoryValue(member)]));
  if (typeof type !== 'string') return decoded;
  return typed(type, Array.isArray(args) ? args.map(factoryValue) : [], decoded);
}

function typed(type: string, args: readonly unknown[], members: Readonly<Record<string, unknown>>): unknown {
  const name = type.split('.').at(-1) ?? '';
  switch (name) {
    case 'timedelta': {
      // In the order of Python's arguments.
      const byPlace = ['days', 'seconds', 'microseconds', 'milliseconds', 'minutes', 'hours', 'weeks'];
      const named = { ...Object.fromEntries(args.map((value, index) => [byPlace[index] ?? '', value])), ...members };
      const seconds = Object.entries(named).reduce(
        (sum, [unit, count]) => sum + (UNIT_SECONDS[unit] ?? 0) * (secondsOf(count) ?? 0),
        0,
      );
      return new TypedValue('timedelta', { seconds });
    }
    case 'relativedelta':
      return new TypedValue('relativedelta', members);
    case 'datetime':
    case 'DateTime': {
      const parts = ['year', 'month', 'day', 'hour', 'minute', 'second'];
      const [year, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.map((part, index) =>
        Number(textOf(members[part] ?? args[index] ?? (index < 3 ? 1 : 0))),
      );
      const two = (number: number): string => String(number).padStart(2, '0');
      return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`;
    }
    case 'Param': {
      const { default: initial = args[0], description, ...schema } = members;
      return new TypedValue('param', { default: initial, description, schema });
    }
    case 'set':
    case 'tuple':
    case 'list':
      return args.length === 1 && Array.isArray(args[0]) ? args[0] : [...args];
    default:
      return new TypedValue(type, { args, ...members });
  }
}

/** `task.output`, `XcomArg(task)` or `+task`: the output of another task; anything else is itself. */
export function factoryOutput(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const [, task] =
    /^([\w.-]+)\.output$/.exec(value) ??
    /^X[cC]om_?[aA]rg\(\(*['"]?([\w.-]+)['"]?\)+$/.exec(value) ??
    /^\+([\w.-]+)$/.exec(value) ??
    [];
  return task === undefined ? value : new TypedValue('xcom', { task, key: 'return_value' });
}

/** dag-factory's way of giving defaults: what `config` does not say, `defaults` says, maps within maps likewise. */
export function withDefaults(config: unknown, defaults: unknown): Readonly<Record<string, unknown>> {
  const [own, given] = [isMap(config) ? config : {}, isMap(defaults) ? defaults : {}];
  const merged: Record<string, unknown> = { ...given, ...own };
  for (const [key, value] of Object.entries(own))
    if (isMap(value) && isMap(given[key])) merged[key] = withDefaults(value, given[key]);
  return merged;
}
