import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface OwnNetwork {
  readonly name: string;
  /** This machine as it is seen from there. */
  readonly gateway: string;
  /** Starts a program there. */
  readonly via: readonly string[];
}

/** Private addresses of RFC 2544, which no real network uses. */
const addressOf = (index: number, side: 1 | 2): string => `198.18.${index}.${side}`;
let made = 0;

/** Networks of single processes, each joined to this machine by a cable that can be pulled. Needs root on Linux. */
export class Namespaces {
  private readonly networks: (OwnNetwork & { readonly cable: string })[] = [];

  /** Why there can be none here; null: there can. */
  static async problem(): Promise<string | null> {
    const probe = new Namespaces();
    try {
      await probe.make('probe');
      return null;
    } catch (error) {
      return (error as Error).message.trim();
    } finally {
      await probe.close();
    }
  }

  async make(what: string): Promise<OwnNetwork> {
    const index = ++made % 250;
    // Names of interfaces have at most 15 characters.
    const [name, cable] = [`sluice-${process.pid}-${what}`, `sl${process.pid}-${index}`];
    const [gateway, own] = [addressOf(index, 1), addressOf(index, 2)];
    this.networks.push({ name, cable, gateway, via: ['ip', 'netns', 'exec', name] });
    await run('ip', ['netns', 'add', name]);
    await run('ip', ['link', 'add', cable, 'type', 'veth', 'peer', 'name', 'cable', 'netns', name]);
    await run('ip', ['addr', 'add', `${gateway}/30`, 'dev', cable]);
    await run('ip', ['link', 'set', cable, 'up']);
    for (const [device, address] of [['cable', `${own}/30`], ['lo']] as const) {
      if (address) await run('ip', ['-n', name, 'addr', 'add', address, 'dev', device]);
      await run('ip', ['-n', name, 'link', 'set', device, 'up']);
    }
    return this.networks.at(-1)!;
  }

  /** Pulls the cable, or plugs it in again: whatever is sent meanwhile is gone, and nobody is told. */
  async setCable(what: string, state: 'up' | 'down'): Promise<void> {
    const network = this.networks.find(({ name }) => name.endsWith(`-${what}`));
    if (network === undefined) throw new Error(`there is no network ${what}`);
    await run('ip', ['link', 'set', network.cable, state]);
  }

  async close(): Promise<void> {
    for (const { name, cable } of this.networks.splice(0)) {
      await run('ip', ['link', 'del', cable]).catch(() => undefined); // it may never have been made
      await run('ip', ['netns', 'del', name]).catch(() => undefined);
    }
  }
}
