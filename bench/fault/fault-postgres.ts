import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres } from '#platform';
import { until } from '../../apps/standalone/standalone-fixture.ts';

/** A Postgres of its own that is stopped, killed and started again on the same port. */
export class FaultPostgres {
  private constructor(
    private readonly folder: string,
    private server: Awaited<ReturnType<typeof startEmbeddedPostgres>>,
  ) {}

  static async start(options: { durable?: boolean } = {}): Promise<FaultPostgres> {
    const folder = await mkdtemp(path.join(tmpdir(), 'sluice-fault-'));
    return new FaultPostgres(folder, await startEmbeddedPostgres({ dataFolder: folder, ...options }));
  }

  get url(): string {
    return this.server.url;
  }

  /** In order, as for an upgrade of Postgres: connections are cut, transactions roll back. */
  stop(): Promise<void> {
    return this.server.stop();
  }

  /** SIGKILL of the server: what it had not written to its log is gone, its children end by themselves. */
  async crash(): Promise<void> {
    process.kill(this.server.pid, 'SIGKILL');
    await until('the end of Postgres', () => !isThere(this.server.pid));
  }

  /** Resolves once it serves: after a crash, once it has read its log. */
  async start(): Promise<void> {
    this.server = await startEmbeddedPostgres({ dataFolder: this.folder });
  }

  async close(): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
