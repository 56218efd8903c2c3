import type { Pipeline } from '../workloads.ts';

export interface Spec {
  readonly engine: string;
  readonly settings: 'defaults' | 'tuned';
  readonly effects: string;
  readonly folder: string;
  readonly home: string;
  readonly bodies: string;
  readonly databaseUrl: string | null;
  readonly redisUrl: string | null;
  readonly parallelism: number;
  readonly pipelines: readonly Pipeline[];
}

export const spec: Spec;
export const pipelines: ReadonlyMap<string, Pipeline>;
type Answer = (names: readonly string[]) => Promise<void>;
export function serve(round: Answer, resume: Answer): Promise<void>;
