import { Matrix } from 'ml-matrix';

/** `departure`: known when the aircraft leaves, the clock included. `day_ahead`: known the evening before. */
export const VIEWS = ['departure', 'day_ahead'] as const;
export type View = (typeof VIEWS)[number];

/**
 * Columns of `examples`, with what they mean to a reader. All come from the 28 days before the flight's day, or from its route.
 * The weekday is not among them: a month holds four Mondays, and a model that looks at them learns the weather of four days.
 */
export const MEANING = {
  log_distance: 'distance of the route',
  nation_7d: 'late flights in the country, last 7 days',
  nation_1d: 'late flights in the country, yesterday',
  hour_28d: 'late flights at this hour',
  origin_28d: 'late flights from this airport',
  origin_7d: 'late flights from this airport, last 7 days',
  origin_1d: 'late flights from this airport, yesterday',
  destination_28d: 'late flights to this airport',
  destination_7d: 'late flights to this airport, last 7 days',
  destination_1d: 'late flights to this airport, yesterday',
  origin_hour_28d: 'late flights from this airport at this hour',
  destination_hour_28d: 'late flights to this airport at this hour',
  route_28d: 'late flights on this route',
  route_hour_28d: 'late flights on this route at this hour',
  origin_hour_flights: 'how many flights leave this airport at this hour',
  route_hour_flights: 'how many flights leave on this route at this hour',
} as const;
export type Column = keyof typeof MEANING;
export const COLUMNS = Object.keys(MEANING) as readonly Column[];

/** Flights with what was known about them; every array has one entry per flight. */
export interface Examples {
  readonly rows: number;
  /** 1: more than 15 minutes late. */
  readonly late: Float64Array;
  readonly columns: Readonly<Record<Column, Float64Array>>;
}

/** A matrix with a row per flight and a column per term. */
export interface Design {
  readonly terms: readonly string[];
  readonly matrix: Matrix;
}

const CLOCK: readonly Column[] = [
  'hour_28d',
  'origin_hour_28d',
  'destination_hour_28d',
  'route_hour_28d',
  'origin_hour_flights',
  'route_hour_flights',
];
/** A logistic model only adds: where two columns mean more together, their product is a term of its own. */
const CLOCK_PRODUCTS: readonly (readonly [Column, Column])[] = [
  ['route_hour_flights', 'route_hour_28d'],
  ['route_hour_flights', 'route_hour_flights'],
  ['route_hour_flights', 'hour_28d'],
  ['origin_hour_flights', 'origin_hour_28d'],
  ['origin_28d', 'hour_28d'],
];

/** The columns that a view may look at. */
export function columnsOf(view: View): readonly Column[] {
  return view === 'departure' ? COLUMNS : COLUMNS.filter((column) => !CLOCK.includes(column));
}

/** Turns flights into numbers for a model of this view; the same flights always give the same matrix. */
export function encode(view: View, { rows, columns }: Examples): Design {
  const plain = columnsOf(view);
  const products = view === 'departure' ? CLOCK_PRODUCTS : [];
  const terms = [...plain, ...products.map(([a, b]) => `${a} × ${b}`)];
  const matrix = new Matrix(rows, terms.length);
  for (let row = 0; row < rows; row++) {
    let term = 0;
    for (const column of plain) matrix.set(row, term++, columns[column][row]!);
    for (const [a, b] of products) matrix.set(row, term++, columns[a][row]! * columns[b][row]!);
  }
  return { terms, matrix };
}
