import type { CompiledPipeline, EnvironmentConfig, Matrix, Problem, Schedule } from '#core';
import type { Evaluated, Scope } from './expression/scope.ts';

export type { Evaluated, RunScope, Scope } from './expression/scope.ts';

/** Half-open data interval `[start, end)`. */
export interface Interval {
  readonly start: Date;
  readonly end: Date;
}
const later = (): never => {
  throw new Error('libs/dag is being written');
};
export const parsePipeline = (
  _file: string,
  _text: string,
): { pipeline: CompiledPipeline | null; problems: Problem[] } => later();
export const compilePipelines = (
  _files: readonly { file: string; text: string }[],
  _knownFiles?: ReadonlySet<string>,
): { pipelines: CompiledPipeline[]; problems: ReadonlyMap<string, Problem[]> } => later();
export const parseEnvironment = (
  _file: string,
  _text: string,
  _baseDir: string,
): { environment: EnvironmentConfig | null; problems: Problem[] } => later();
export const canonicalJson = (_value: unknown): string => later();
export const pipelineDigest = (_pipeline: CompiledPipeline): string => later();
export const pipelineJsonSchema = (): object => later();
export const evaluate = (_expr: string, _scope: Scope): Evaluated<unknown> => later();
export const renderTemplate = (_text: string, _scope: Scope): Evaluated<string> => later();
export const resolveParams = (
  _pipeline: CompiledPipeline,
  _environment: EnvironmentConfig,
  _given: Readonly<Record<string, unknown>>,
): { ok: true; params: Record<string, unknown> } | { ok: false; problems: string[] } => later();
export const withOverlay = (_pipeline: CompiledPipeline, _environmentName: string): CompiledPipeline => later();
export const dueIntervals = (_input: {
  readonly schedule: Schedule;
  readonly activatedAt: Date;
  /** End of the last interval already handled. */
  readonly lastEnd: Date | null;
  readonly now: Date;
  readonly limit: number;
}): Interval[] => later();
export const nextIntervals = (_schedule: Schedule, _activatedAt: Date, _after: Date, _limit: number): Interval[] =>
  later();
export const intervalAt = (_schedule: Schedule, _activatedAt: Date, _at: Date): Interval | null => later();
export const intervalsBetween = (
  _schedule: Schedule,
  _activatedAt: Date,
  _from: Date,
  _to: Date,
  _limit: number,
): Interval[] => later();
export const describeSchedule = (_schedule: Schedule): string => later();
export const ds = (_interval: Interval, _schedule: Schedule): string => later();
export const expandMatrix = (
  _matrix: Matrix,
  _evaluateExpr: (expr: string) => unknown,
):
  | { ok: true; items: { key: string; values: Record<string, unknown> }[] }
  | { ok: false; message: string } => later();
