import { processesOf, type SeenProcess } from '../../apps/standalone/processes-of.ts';

/** Looks at the processes of a project now and then, and notes what must never be there. */
export class ProcessWatch {
  readonly problems: string[] = [];
  looks = 0;
  private postmastersBefore: readonly number[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly folder: string,
    intervalMs = 250,
  ) {
    this.timer = setInterval(() => this.look(), intervalMs);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Right after a start: one of each, and nothing that an earlier start left. */
  afterStart(mainPid: number): void {
    const seen = this.look();
    const mains = seen.filter(({ kind }) => kind === 'sluice').map(({ pid }) => pid);
    if (String(mains) !== String([mainPid])) this.problems.push(`Sluice itself runs as ${mains.join(' and ')}`);
    const servers = postmasters(seen).length;
    if (servers !== 1) this.problems.push(`${servers} Postgres servers after a start`);
    const current = new Set(
      seen.filter(({ kind, parent }) => kind === 'launcher' && parent === mainPid).map(({ marker }) => marker),
    );
    for (const { kind, pid, marker, command } of seen)
      if (marker !== null && !current.has(marker))
        this.problems.push(`${kind} ${pid} of an earlier start lives on: ${nameOf(command)}`);
    if (current.size > 1) this.problems.push(`${current.size} launchers of one process`);
  }

  private look(): SeenProcess[] {
    const seen = processesOf(this.folder);
    const now = postmasters(seen);
    // A start that comes too early may try and give up; two that stay are two servers on one folder.
    const staying = now.filter((pid) => this.postmastersBefore.includes(pid));
    if (staying.length > 1) this.problems.push(`Postgres was started twice: ${staying.join(' and ')}`);
    this.postmastersBefore = now;
    this.looks += 1;
    return seen;
  }
}

/** Servers by pid. A server's child shows a title of its own, but for an instant after the fork still its parent's arguments. */
function postmasters(seen: readonly SeenProcess[]): number[] {
  const servers = seen.filter(({ kind, command }) => kind === 'postgres' && /bin\/postgres -D /.test(command));
  const pids = servers.map(({ pid }) => pid);
  return servers.filter(({ parent }) => !pids.includes(parent)).map(({ pid }) => pid);
}

/** Without folders, which differ from machine to machine. */
function nameOf(command: string): string {
  return command.replaceAll(/\S*\//g, '').slice(0, 80);
}
