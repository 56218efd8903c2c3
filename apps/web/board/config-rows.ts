import type { EnvironmentDiff } from '#contracts';

export interface ConfigRow {
  readonly field: string;
  /** One for each environment, in their order; undefined: it has no such field. */
  readonly values: readonly unknown[];
}

/**
 * Configurations beside each other, only what differs: `diffs` are those of the first environment with each of the others.
 * Where a diff does not name a field, both have the same.
 */
export function configRows(diffs: readonly Pick<EnvironmentDiff, 'fields'>[]): readonly ConfigRow[] {
  const first = new Map(diffs.flatMap(({ fields }) => fields.map(({ field, before }) => [field, before] as const)));
  const others = diffs.map(({ fields }) => new Map(fields.map(({ field, after }) => [field, after])));
  return [...first.keys()].sort().map((field) => {
    const base = first.get(field);
    return { field, values: [base, ...others.map((other) => (other.has(field) ? other.get(field) : base))] };
  });
}
