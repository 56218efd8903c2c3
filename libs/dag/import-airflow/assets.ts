import { isMap, TypedValue } from './typed-value.ts';

/** Data that Airflow's DAGs tell each other of; once it was called a dataset. */
export interface Asset {
  readonly name: string;
  readonly uri: string;
}

export type AssetCondition =
  | { readonly asset: Asset }
  | { readonly all: readonly AssetCondition[] }
  | { readonly any: readonly AssetCondition[] }
  /** An alias, a watcher, or nothing that is known. */
  | { readonly unknown: string };

const DEEPEST = 10;

/** What a schedule of assets waits for, from any of the forms in which it is written; a list means all of them. */
export function conditionOf(value: unknown, depth = 0): AssetCondition {
  if (depth > DEEPEST) return { unknown: 'nested too deep' };
  const inner = (list: unknown): AssetCondition[] =>
    (Array.isArray(list) ? list : [list]).map((item) => conditionOf(item, depth + 1));
  if (Array.isArray(value)) return { all: inner(value) };
  const { type, members } = partsOf(value);
  if (/(asset|dataset)s?_?all$/i.test(type)) return { all: inner(members.objects ?? members.args ?? []) };
  if (/(asset|dataset)s?_?any$/i.test(type)) return { any: inner(members.objects ?? members.args ?? []) };
  if (type === 'assets' || (type === '' && (members.all !== undefined || members.any !== undefined)))
    return members.all === undefined ? { any: inner(members.any) } : { all: inner(members.all) };
  if (type === '' && members.datasets !== undefined) return { all: inner(members.datasets) };
  const asset = assetOf(value);
  return asset === null ? { unknown: type === '' ? 'something else' : `a ${type.slice(0, 80)}` } : { asset };
}

/** Null when it is none, or one whose name only running code knows. */
export function assetOf(value: unknown): Asset | null {
  if (typeof value === 'string' && value !== '') return { name: value, uri: value };
  const { type, members } = partsOf(value);
  if (/alias|watcher/i.test(type)) return null;
  const { args, uri: named, name: called } = members;
  const [first] = Array.isArray(args) ? (args as unknown[]) : [];
  const [uri, name] = [named ?? first ?? called, called ?? named ?? first];
  return typeof uri === 'string' && typeof name === 'string' && name !== '' ? { name, uri } : null;
}

/** Every asset that is named, each once. */
export function assetsIn(condition: AssetCondition): Asset[] {
  if ('asset' in condition) return [condition.asset];
  if ('unknown' in condition) return [];
  return ('all' in condition ? condition.all : condition.any).flatMap(assetsIn);
}

/** Nested values of a timetable are as Airflow wrote them: maps that name their type. */
function partsOf(value: unknown): { type: string; members: Readonly<Record<string, unknown>> } {
  if (value instanceof TypedValue) return { type: value.type.split('.').at(-1) ?? '', members: value.members };
  if (!isMap(value)) return { type: '', members: {} };
  const type = typeof value.__type === 'string' ? value.__type : '';
  return { type, members: isMap(value.__var) ? value.__var : value };
}
