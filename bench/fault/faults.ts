import type { History } from './history.ts';
import { monkey } from './faults/monkey.ts';
import { networkFaults } from './faults/network-faults.ts';
import { postgresFaults } from './faults/postgres-faults.ts';
import { processFaults } from './faults/process-faults.ts';
import { upgradeFault } from './faults/upgrade-fault.ts';
import { workFaults } from './faults/work-faults.ts';
import type { Figures, Scene } from './scene.ts';

/** How a round is set up, where it differs from one scheduler, three workers and nothing between them. */
export interface Layout {
  readonly schedulers?: number;
  readonly workers?: number;
  /** Something stands between the processes; `namespaces`: each in a network of its own. */
  readonly network?: 'proxies' | 'namespaces';
  /** Attempts at once of each worker. */
  readonly concurrency?: number;
  /** Every process is of the version before the last migration until `Scene.upgrade`. */
  readonly isPrevious?: boolean;
  /** More pipelines. */
  readonly files?: Readonly<Record<string, string>>;
}

/** One kind of fault: what it does to a cluster that catches up, and what must hold. */
export interface Fault {
  readonly does: string;
  readonly promises: string;
  /** Rounds differ: every second one may have more schedulers. */
  readonly layout?: (round: number) => Layout;
  /** How often it happens in one round, at most. */
  readonly perRound: number;
  /** Days of the catch-up for each time, so that there is work while it happens. */
  readonly days: number;
  /** Does it once. `index` counts the times of all rounds. */
  readonly strike: (scene: Scene, index: number) => Promise<Figures>;
  /** The most that each figure may be. */
  readonly limits?: Readonly<Record<string, number>>;
  /** No attempt may be lost: running tasks are left alone. */
  readonly keepsAttempts?: boolean;
  /** Fit to be mixed with others at the same time. */
  readonly mixes?: boolean;
  /** Its own checks at rest. */
  readonly check?: (scene: Scene, history: History) => readonly string[] | Promise<readonly string[]>;
}

export const FAULTS: Readonly<Record<string, Fault>> = {
  ...processFaults,
  ...postgresFaults,
  ...networkFaults,
  ...workFaults,
  F14: upgradeFault,
  monkey,
};
