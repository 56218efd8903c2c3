import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '#platform';
import type { Repeat } from './measure.ts';
import { labelOf, type Isolation, type Peer } from './peers.ts';
import type { WorkloadName } from './workloads.ts';

export interface WorkloadResult {
  readonly title: string;
  readonly scale: number;
  readonly taskRuns: number;
  readonly parallelism: number;
  readonly repeats: readonly Repeat[];
  /** Why there are no more repeats than these. */
  readonly failure?: string;
}

/** What `bench/results/peers/LABEL.json` holds. */
export interface PeerResult {
  readonly peer: string;
  readonly settings: Peer['settings'];
  readonly version: string;
  readonly isolation: Isolation;
  readonly durability: string;
  readonly how: string;
  readonly machine: string;
  readonly measuredAt: string;
  /** Null: nothing is installed for it. */
  readonly installMiB: number | null;
  /** From the start of its processes with an empty database until it takes runs, and the first run then. */
  readonly readyMs: number | null;
  readonly firstRunMs: number | null;
  readonly workloads: Partial<Record<WorkloadName, WorkloadResult>>;
}

const FOLDER = path.join(packageRoot(), 'bench', 'results', 'peers');

export function loadResult(peer: Pick<Peer, 'name' | 'settings'>): PeerResult | null {
  try {
    return JSON.parse(readFileSync(fileOf(peer), 'utf8')) as PeerResult;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export function storeResult(peer: Peer, result: PeerResult): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(fileOf(peer), `${JSON.stringify(result, null, 2)}\n`);
}

export function allResults(): PeerResult[] {
  return readdirSync(FOLDER)
    .sort()
    .map((name) => JSON.parse(readFileSync(path.join(FOLDER, name), 'utf8')) as PeerResult);
}

function fileOf(peer: Pick<Peer, 'name' | 'settings'>): string {
  return path.join(FOLDER, `${labelOf(peer)}.json`);
}
