import { TcpProxy } from './tcp-proxy.ts';
import type { Place, Role } from './worker-cluster.ts';
import type { Namespaces } from './namespaces.ts';

type Target = 'databaseUrl' | 'redisUrl' | 'apiUrl';
/** What each kind of process speaks with. */
const SPEAKS: Readonly<Record<Role, readonly Target[]>> = {
  api: ['databaseUrl', 'redisUrl'],
  scheduler: ['databaseUrl', 'redisUrl'],
  worker: ['apiUrl', 'redisUrl'],
};

export interface Pair {
  readonly role: Role;
  readonly number: number;
  readonly target: Target;
  readonly proxy: TcpProxy;
}

/** A proxy between each two processes that speak with each other; with `namespaces` each process also has a network of its own. */
export class Network {
  readonly pairs: Pair[] = [];

  constructor(
    private readonly seed: number,
    readonly namespaces: Namespaces | null = null,
  ) {}

  /** For `ClusterOptions`. */
  readonly place = async (role: Role, number: number, usual: Place): Promise<Place> => {
    // The API is where its people are.
    const own = role === 'api' ? null : ((await this.namespaces?.make(`${role}-${number}`)) ?? null);
    const told: Record<string, string> = {};
    for (const target of SPEAKS[role]) {
      const host = own === null ? {} : { host: own.gateway };
      const proxy = await TcpProxy.start(usual[target], { ...host, seed: this.seed + this.pairs.length });
      this.pairs.push({ role, number, target, proxy });
      told[target] = proxy.through(usual[target]);
    }
    return { ...usual, ...told, ...(own === null ? {} : { via: own.via }) };
  };

  clear(): void {
    for (const { proxy } of this.pairs) proxy.setWeather('fair');
  }

  async close(): Promise<void> {
    await Promise.all(this.pairs.map(({ proxy }) => proxy.close()));
    await this.namespaces?.close();
  }
}
