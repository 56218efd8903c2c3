import type { Args } from './args.ts';
import { isMap, textOf } from './typed-value.ts';

const SQL_CHECKS = /^SQL(Column|Table|Value|Threshold|Interval)?CheckOperator$/;

/**
 * What to write instead of an operator that checks a table of a database; null: it is none. Checks of Sluice look at rows
 * before they are published, so they belong to the task that writes them: which that is only its author knows.
 */
export function checksInstead(operator: string, args: Args): string | null {
  if (!SQL_CHECKS.test(operator)) return null;
  const checks = operator === 'SQLColumnCheckOperator' ? columnChecks(args.take('column_mapping')) : [];
  const hint = 'Put it to the task that writes the rows, under `checks:`';
  if (checks.length > 0) return `${hint}: \`[${checks.join(', ')}]\`.`;
  const sql = '`{ sql: "select * from … where not (…)" }`, whose rows are the bad ones';
  return operator === 'SQLIntervalCheckOperator'
    ? `${hint}: \`{ rows: { last: 7, within: 0.2 } }\`.`
    : `${hint}: ${sql}; or ask the database from \`run\` or \`python\`.`;
}

function columnChecks(mapping: unknown): string[] {
  return Object.entries(isMap(mapping) ? mapping : {}).flatMap(([column, tests]) => {
    const found: string[] = [];
    const { null_check: nulls, unique_check: unique, min, max } = isMap(tests) ? tests : {};
    if (isZero(nulls)) found.push(`{ not_null: [${column}] }`);
    if (isZero(unique)) found.push(`{ unique: [${column}] }`);
    const bounds = [
      bound('min', min, ['geq_to', 'greater_than', 'equal_to']),
      bound('max', max, ['leq_to', 'less_than', 'equal_to']),
    ];
    const range = bounds.filter((text) => text !== null);
    if (range.length > 0) found.push(`{ range: { column: ${column}, ${range.join(', ')} } }`);
    return found;
  });
}

function isZero(test: unknown): boolean {
  return isMap(test) && test.equal_to === 0;
}

function bound(name: string, test: unknown, keys: readonly string[]): string | null {
  const key = isMap(test) ? keys.find((candidate) => test[candidate] !== undefined) : undefined;
  return key === undefined || !isMap(test) ? null : `${name}: ${textOf(test[key])}`;
}
