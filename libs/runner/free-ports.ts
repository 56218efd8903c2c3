import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** Ports of this machine on which somebody will listen soon; one is given to nobody else until it is given back. */
export class FreePorts {
  readonly #given = new Set<number>();

  async take(): Promise<number> {
    for (;;) {
      const server = createServer().listen(0);
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      server.close();
      await once(server, 'close');
      if (this.#given.has(port)) continue;
      this.#given.add(port);
      return port;
    }
  }

  giveBack(port: number): void {
    this.#given.delete(port);
  }
}
