import type { AlertEvent, EnvironmentConfig, Problem } from '#core';
import type { z } from 'zod';
import { Compiling } from './compile/compiling.ts';
import { compilePromotionRules } from './compile/promotion-rules.ts';
import { msOf } from './compile/retries.ts';
import { environmentShape } from './shape/environment-shape.ts';
import { checkShape } from './shape/shape-problems.ts';
import { ProblemList } from './source/problem-list.ts';
import { quote } from './source/quote.ts';
import { resourcesOf } from './compile/resources.ts';
import { readYaml } from './source/read-yaml.ts';
import { absolutePath, storageUrl } from './storage-url.ts';

export interface ParsedEnvironment {
  /** Null when there is any problem. */
  readonly environment: EnvironmentConfig | null;
  readonly problems: Problem[];
}

const DAY_MS = 86_400_000;
const USUAL_EVENTS: readonly AlertEvent[] = [
  'run.failed',
  'run.late',
  'run.recovered',
  'task.approval',
  'pipeline.paused',
  'run.drifted',
  'run.looping',
  'promotion.waiting',
  'promotion.failed',
  'promotion.rolled_back',
];
const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** Compiles the text of one environment file; a relative storage root counts from `baseDir`, an absolute folder. */
export function parseEnvironment(file: string, text: string, baseDir: string): ParsedEnvironment {
  const problems = new ProblemList(file);
  const source = readYaml(text, problems);
  if (source === null) return { environment: null, problems: problems.toArray() };
  const compiling = new Compiling(file, source.map, problems);
  if (source.value === null) compiling.at([], 'The file is empty.', 'Begin with `name:` and `storage:`.');
  const shape = source.value === null ? null : checkShape(environmentShape, source.value, [], source.map, problems);
  const environment = shape === null ? null : compile(shape, baseDir, compiling);
  const found = problems.toArray();
  return { environment: found.length === 0 ? environment : null, problems: found };
}

type Shape = z.infer<typeof environmentShape>;

function compile(shape: Shape, baseDir: string, compiling: Compiling): EnvironmentConfig {
  const storage = shape.installation === undefined ? storageOf(shape, baseDir, compiling) : shape.installation.url;
  if (shape.installation !== undefined) refuseElsewhere(shape, compiling);
  if (shape.pools?.default === 0)
    compiling.at(['pools', 'default'], 'The pool "default" has no slots, so nothing would run.', 'Give it at least 1.');
  return {
    name: shape.name,
    storage,
    schedules: shape.schedules ?? 'paused',
    vars: shape.vars ?? {},
    params: shape.params ?? {},
    secrets: shape.secrets ?? {},
    pools: { default: 32, ...shape.pools },
    ...(shape.resources === undefined ? {} : { resources: resourcesOf(shape.resources) }),
    alerts: {
      slack: slackOf(shape),
      email: emailOf(shape),
      on: shape.alerts?.on === undefined ? USUAL_EVENTS : [shape.alerts.on].flat(),
      mute: [shape.alerts?.mute ?? []].flat(),
    },
    data: mapValues(shape.data ?? {}, (folder) => absolutePath(folder, baseDir)),
    grants: shape.grants ?? [],
    logs: {
      maxBytes: bytesOf(shape.logs?.max_bytes) ?? 64 * 1024 ** 2,
      maxLineBytes: bytesOf(shape.logs?.max_line_bytes) ?? 64 * 1024,
    },
    promotion: compilePromotionRules(shape, compiling),
    verifySample:
      shape.verify_sample === undefined
        ? null
        : { everyMs: msOf(shape.verify_sample.every), runs: shape.verify_sample.runs ?? 1 },
    retentionDays: shape.retention === undefined ? null : Math.max(1, Math.round(msOf(shape.retention) / DAY_MS)),
  };
}

function storageOf({ storage: written }: Shape, baseDir: string, compiling: Compiling): string {
  if (written === undefined) {
    compiling.at([], 'The file has no "storage".', 'Add `storage: …`.');
    return '';
  }
  const storage = storageUrl(written, baseDir);
  if (storage.ok) return storage.url;
  compiling.at(['storage'], `storage is ${quote(withoutCredentials(written))}; ${storage.message}.`, storage.hint);
  return '';
}

/** What the other installation decides by its own file, and what would run here. */
const ELSEWHERE = ['storage', 'schedules', 'approvals', 'window', 'verify', 'auto_rollback', 'verify_sample'] as const;

function refuseElsewhere(shape: Shape, compiling: Compiling): void {
  for (const key of ELSEWHERE)
    if (shape[key] !== undefined)
      compiling.atKey(
        [key],
        `${key} is said of an environment that another installation has.`,
        `Say it in environments/${shape.name}.yaml there; here only from, soak and gates count.`,
      );
}

/** A problem is printed and logged. */
function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//…@');
}

function slackOf(shape: Shape): EnvironmentConfig['alerts']['slack'] {
  const slack = shape.alerts?.slack;
  if (slack === undefined) return null;
  const { channel, token, api_url: apiUrl, approvers } = slack;
  return { channel, token: token ?? null, apiUrl: apiUrl ?? null, approvers: approvers ?? {} };
}

function emailOf(shape: Shape): EnvironmentConfig['alerts']['email'] {
  const email = shape.alerts?.email;
  if (email === undefined) return null;
  const parts = Array.isArray(email) ? { to: email } : email;
  const from = 'from' in parts && parts.from !== undefined ? parts.from : 'sluice@localhost';
  return { to: [parts.to].flat(), from, smtp: ('smtp' in parts ? parts.smtp : undefined) ?? null };
}

function bytesOf(size: number | string | undefined): number | null {
  if (size === undefined || typeof size === 'number') return size ?? null;
  const [, count, unit = 'B'] = /^(\d+)(\w+)$/.exec(size) ?? [];
  return Number(count) * (UNITS[unit] ?? 1);
}

function mapValues<A, B>(values: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}
