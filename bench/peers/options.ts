import { parseArgs } from 'node:util';
import { labelOf, type Peer, PEERS } from './peers.ts';
import { WORKLOADS, type WorkloadName } from './workloads.ts';

export interface Options {
  readonly action: 'measure' | 'install' | 'table';
  readonly peers: readonly Peer[];
  readonly workloads: readonly WorkloadName[];
  readonly times: number;
  readonly retries: number;
  readonly boundMs: number;
  /** In place of each peer's own. */
  readonly mostTasks: number | null;
  /** Measure what is there already once more. */
  readonly again: boolean;
}

const USAGE = `usage: npm run bench:peers -- [install|table] [--peers sluice,luigi] [--workloads W1N,W6] [--times 5]
         [--retries 2] [--bound 300] [--tasks 1000] [--again]

  install      fetch the peers into .sluice/peers, each into a folder of its own
  table        only write the table of docs/performance.md from the stored results
  --times      repeats of each workload
  --retries    repeats on top, where the machine wandered
  --bound      seconds after which a repeat is a failure; three times as many where processes are killed
  --tasks      task runs of a repeat at most: larger workloads are scaled down
  --again      forget the stored results of the named peers and workloads first
`;

/** Ends the process with the usage when it does not understand. */
export function readOptions(args: readonly string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        peers: { type: 'string' },
        workloads: { type: 'string' },
        times: { type: 'string', default: '5' },
        retries: { type: 'string', default: '2' },
        bound: { type: 'string', default: '300' },
        tasks: { type: 'string' },
        again: { type: 'boolean', default: false },
      },
    });
    const action = positionals[0] ?? 'measure';
    if (action !== 'measure' && action !== 'install' && action !== 'table') throw new Error(`no action ${action}`);
    return {
      action,
      peers: named(values.peers, PEERS, (peer) => [peer.name, labelOf(peer)]),
      workloads: named(values.workloads, WORKLOADS, (name) => [name]),
      times: positive(values.times),
      retries: Number(values.retries),
      boundMs: positive(values.bound) * 1000,
      mostTasks: values.tasks === undefined ? null : positive(values.tasks),
      again: values.again,
    };
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

function named<T>(list: string | undefined, all: readonly T[], namesOf: (one: T) => string[]): T[] {
  if (list === undefined) return [...all];
  const names = list.split(',');
  const unknown = names.find((name) => !all.some((one) => namesOf(one).includes(name)));
  if (unknown !== undefined) throw new Error(`no ${unknown}; there are ${all.flatMap(namesOf).join(', ')}`);
  return all.filter((one) => namesOf(one).some((name) => names.includes(name)));
}

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`${text} is not a number above 0`);
  return number;
}
