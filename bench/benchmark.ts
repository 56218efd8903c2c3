/** One figure of a benchmark beside what it promises and the floor measured in the same run. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 's' | '/s' | 'MiB' | 'tx' | '%' | 'rows' | 'fds';
  /** What docs promise; for `/s` at least, otherwise at most. */
  readonly promise: number;
  /** The same thing done by the bare parts, in the same unit. */
  readonly floor: number;
  readonly floorIs: string;
  /** What the floor was where the promise was made; null: the promise is meant as it stands, whatever the machine. */
  readonly promisedFloor: number | null;
}

/** The floors of the machine that the promises were made for: Postgres 15 and Node 20 on two cores. */
export const PROMISED_FLOORS = {
  commitMs: 0.27,
  queuePerSecond: 65_371,
  bashMs: 2.3,
  bashPerSecond: 650,
  pythonMs: 43,
  parseMs: 0.63,
};

/** How much of it is asked for. */
export interface Extent {
  /** A form that says within a minute whether the benchmark works; its figures are worth nothing. */
  readonly small: boolean;
  /** For those that take as long as somebody likes; null: as long as they take by default. */
  readonly minutes: number | null;
}

export interface Benchmark {
  readonly name: string;
  readonly title: string;
  /** False unless given: there is only the whole of it. */
  readonly hasSmallForm?: boolean;
  measure(extent: Extent): Promise<readonly Figure[]>;
}

/** The promise as a slower or faster machine can keep it: as many times its floor as was promised. */
export function promiseHere({ promise, promisedFloor, floor }: Figure): number {
  return promisedFloor === null ? promise : (promise * floor) / promisedFloor;
}

/** Kept as it stands, or as a multiple of the floor. */
export function keepsPromise(figure: Figure): boolean {
  const within = (most: number): boolean => (figure.unit === '/s' ? figure.value >= most : figure.value <= most);
  return within(figure.promise) || within(promiseHere(figure));
}

/** How many times as much as the floor it costs, whatever the unit; 1 is the floor itself. */
export function timesFloor({ value, unit, floor }: Figure): number {
  return unit === '/s' ? floor / value : value / floor;
}
