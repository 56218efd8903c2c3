import type { PipelineTest } from '#dag';

/** What became of one test. */
export interface TestedResult {
  readonly test: PipelineTest;
  /** None: it passed. */
  readonly failures: readonly PlacedFailure[];
  readonly ms: number;
}

export interface PlacedFailure {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export function isPassed({ failures }: TestedResult): boolean {
  return failures.length === 0;
}
