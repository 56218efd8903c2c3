import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { examplesOf } from '../../libs/testing/examples.ts';
import { PROGRAM_ROOT } from '../../apps/standalone/standalone-fixture.ts';
import { ClusterProcess, SECRET, TOKEN, type Cluster } from './worker-cluster.ts';

/** One more API, scheduler and worker of a cluster, started by the very lines of docs/workers.md. */
export class StartedAsShown {
  private readonly processes: ClusterProcess[] = [];

  private constructor(
    private readonly cluster: Cluster,
    private readonly databaseUrl: string,
    private readonly env: Readonly<Record<string, string>>,
    private readonly workerLines: readonly string[],
  ) {}

  /** The API and the scheduler. */
  static async start(cluster: Cluster, databaseUrl: string): Promise<StartedAsShown> {
    const [servers = '', workers = ''] = examplesOf('docs/workers.md', 'sh', 2);
    const home = join(cluster.project.folder, 'home-as-shown');
    await mkdir(home);
    await symlink(join(cluster.project.home, 'releases'), join(home, 'releases'));
    const env = { PATH: await cluster.project.commandPath(), SLUICE_HOME: home, TEST_PASS: SECRET };
    const started = new StartedAsShown(cluster, databaseUrl, env, workers.trimEnd().split('\n'));
    const [settings = '', ...lines] = servers.trimEnd().split('\n');
    started.processes.push(...(await Promise.all(lines.map((line) => started.shell(`${settings}\n${line}`).ready()))));
    return started;
  }

  async worker(): Promise<void> {
    const url = /at (http:\S+)/.exec(this.processes[0]?.text ?? '')?.[1] ?? '';
    const [create = '', start = ''] = this.workerLines;
    const created = this.shell(`SLUICE_URL=${url} SLUICE_TOKEN=… ${create}`);
    await created.ended;
    const [token = created.text] = /sluice_\S+/.exec(created.text) ?? [];
    this.processes.push(await this.shell(start, { 'https://sluice.example': url, 'sluice_…': token }).ready());
  }

  /** In order, the worker first: it signs out at the API. */
  async stop(): Promise<(number | null)[]> {
    const codes: (number | null)[] = [];
    for (const started of [...this.processes].reverse()) {
      started.signal('SIGTERM');
      codes.push(await started.ended);
    }
    return codes;
  }

  private shell(line: string, more: Readonly<Record<string, string>> = {}): ClusterProcess {
    const here = {
      'postgres://sluice:…@db/sluice': `'${this.databaseUrl}'`,
      'redis://:…@redis:6379': `'${this.cluster.redis.url}'`,
      'SLUICE_TOKEN=…': `SLUICE_TOKEN=${TOKEN}`,
      // In place of the shell, so that signals reach it.
      'node dist/': `exec node '${PROGRAM_ROOT}'dist/`,
      ...more,
    };
    const script = Object.entries(here).reduce((text, [there, is]) => text.replaceAll(there, is), line);
    return new ClusterProcess(this.cluster.project.spawnShell(script, { env: this.env }));
  }
}
