/** One figure of a benchmark beside what it promises and the floor measured in the same run. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 's' | '/s';
  /** What docs promise; for `/s` at least, otherwise at most. */
  readonly promise: number;
  /** The same thing done by the bare parts, in the same unit. */
  readonly floor: number;
  readonly floorIs: string;
}

export interface Benchmark {
  readonly name: string;
  readonly title: string;
  measure(): Promise<readonly Figure[]>;
}

export function keepsPromise({ value, unit, promise }: Figure): boolean {
  return unit === '/s' ? value >= promise : value <= promise;
}

/** How many times as much as the floor it costs, whatever the unit; 1 is the floor itself. */
export function timesFloor({ value, unit, floor }: Figure): number {
  return unit === '/s' ? floor / value : value / floor;
}
