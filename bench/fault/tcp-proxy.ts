import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { seededRandom } from './random.ts';

/** What happens to what goes through: nothing; it stands still; it comes late; now and then a piece comes late, as after a lost packet. */
export type Weather = 'fair' | 'still' | 'slow' | 'lossy';

const SLOW_MS = 500;
/** TCP sends a lost packet again; what a program sees of the loss is this pause (the least that Linux waits). */
const RESENT_MS = 200;
const LOSS = 0.01;

interface Flow {
  readonly from: Socket;
  readonly to: Socket;
  /** When the piece before arrives: none overtakes it. */
  arrives: number;
}

/** Stands between two processes and lets network faults happen to what they say. */
export class TcpProxy {
  weather: Weather = 'fair';
  private readonly flows = new Set<Flow>();
  /** Their other side ended while nothing passed: they hear of it when something does again. */
  private unheard: Socket[] = [];
  private readonly random: () => number;

  private constructor(
    private readonly server: Server,
    private readonly target: { readonly host: string; readonly port: number },
    seed: number,
  ) {
    this.random = seededRandom(seed);
    server.on('connection', (socket) => this.join(socket));
  }

  /** Listens on `host`, any port. `target`: a URL whose host and port it leads to. */
  static async start(target: string, { host = '127.0.0.1', seed = 1 } = {}): Promise<TcpProxy> {
    const { hostname, port } = new URL(target);
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
    return new TcpProxy(server, { host: hostname, port: Number(port) }, seed);
  }

  /** The target's URL, but through here. */
  through(target: string): string {
    const url = new URL(target);
    const { address, port } = this.server.address() as AddressInfo;
    url.hostname = address;
    url.port = String(port);
    return url.href.replace(/\/$/, '');
  }

  /** Somebody is connected through it. */
  get isUsed(): boolean {
    return this.flows.size > 0;
  }

  /** Every connection ends with RST. */
  reset(): void {
    // Not those that end already: Node 20 cannot reset them, and never lets go of them.
    for (const { from } of this.flows) if (!from.writableEnded) from.resetAndDestroy();
  }

  /** What stood still goes on. */
  setWeather(weather: Weather): void {
    this.weather = weather;
    if (weather === 'still') return;
    for (const socket of this.unheard.splice(0)) socket.destroySoon();
    for (const { from } of this.flows) from.resume();
  }

  async close(): Promise<void> {
    for (const { from } of this.flows) from.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(inner: Socket): void {
    const outer = connect({ ...this.target, allowHalfOpen: true });
    this.lead(inner, outer);
    this.lead(outer, inner);
  }

  private lead(from: Socket, to: Socket): void {
    const flow: Flow = { from, to, arrives: 0 };
    this.flows.add(flow);
    from.setNoDelay(true);
    from.on('data', (piece: Buffer) => this.pass(flow, piece));
    from.on('end', () => this.pass(flow, null));
    from.on('error', () => (this.weather === 'still' ? this.unheard.push(to) : to.destroy()));
    from.on('close', () => {
      this.flows.delete(flow);
      if (this.weather === 'still') this.unheard.push(to);
      else to.destroySoon();
    });
    if (this.weather === 'still') from.pause();
    else from.resume();
  }

  private pass(flow: Flow, piece: Buffer | null): void {
    const { from, to } = flow;
    if (this.weather === 'still') {
      // Read already: kept for when it goes on.
      from.pause();
      if (piece !== null) from.unshift(piece);
      return;
    }
    const late = this.weather === 'slow' ? SLOW_MS : this.weather === 'lossy' && this.random() < LOSS ? RESENT_MS : 0;
    const give = (): void => void (piece === null ? to.end() : to.write(piece));
    const now = performance.now();
    flow.arrives = Math.max(flow.arrives, now + late);
    if (flow.arrives <= now) give();
    else setTimeout(give, flow.arrives - now);
  }
}
