import { COLUMNS, type Column, type Examples } from '../../dags/flights/encode.ts';

/** Made-up flights whose being late depends on two columns only, in a way that a test knows: see `lateness`. */
export function flightExamples(rows: number): Examples {
  let state = 7;
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const columns = Object.fromEntries(
    COLUMNS.map((column) => [column, Float64Array.from({ length: rows }, () => 4 * random() - 2)]),
  ) as Record<Column, Float64Array>;
  const late = Float64Array.from({ length: rows }, (_, row) => (random() < lateness(columns, row) ? 1 : 0));
  return { rows, late, columns };
}

/** The true probability: log odds −1 + 1.5 × route − 0.5 × distance. */
export function lateness(columns: Examples['columns'], row: number): number {
  return 1 / (1 + Math.exp(1 - 1.5 * columns.route_28d[row]! + 0.5 * columns.log_distance[row]!));
}
