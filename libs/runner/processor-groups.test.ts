import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anAssignment, anExecutor, shell, type ExecutorFixture } from './executor-fixture.ts';
import { ProcessorGroups } from './processor-groups.ts';
import { processorPlace, type ProcessorPlace } from './processor-place.ts';
import { ProcessWatch } from './process-watch.ts';

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Where this machine lets us make groups; null where it does not. */
function usablePlace(): ProcessorPlace | null {
  try {
    const [mountinfo, cgroup] = ['mountinfo', 'cgroup'].map((name) => readFileSync(`/proc/self/${name}`, 'utf8'));
    const place = processorPlace(mountinfo!, cgroup!);
    if (place === null || typeof place === 'string') return null;
    const probe = join(place.parent, `sluice-probe-${process.pid}`);
    if (place.version === 2) writeFileSync(join(place.parent, 'cgroup.subtree_control'), '+cpu');
    mkdirSync(probe);
    rmdirSync(probe);
    return place;
  } catch {
    return null;
  }
}

const place = usablePlace();
const own = join(place?.parent ?? '', `sluice-${process.pid}`);
const GROUP = new RegExp(`/sluice-${process.pid}/`);

/** Spins for two seconds and says how much of them it had of a processor. */
const SPIN = `
  import { readFileSync } from 'node:fs';
  const [from, before] = [performance.now(), process.cpuUsage()];
  while (performance.now() - from < 2_000);
  const { user, system } = process.cpuUsage(before);
  console.log('had', (user + system) / 1_000 / (performance.now() - from));`;

/** Spins too, beside a daemon: in a session of its own, and whoever started it is gone. */
const SPIN_TWICE = `
  import { spawn } from 'node:child_process';
  const daemon = spawn('sh', ['-c', 'setsid "$0" spin.mjs &', process.execPath], { stdio: ['ignore', 'pipe', 'inherit'] });
  await import('./spin.mjs');
  daemon.stdout.pipe(process.stdout);`;

// It needs a machine that lets control groups be made: root with version 1, or a systemd unit with Delegate=cpu.
(place === null ? describe.skip : describe)('a task that says how many processors it needs', () => {
  let world: ExecutorFixture;
  const said: string[] = [];
  beforeAll(async () => {
    const files = {
      'spin.mjs': SPIN,
      'spin-twice.mjs': SPIN_TWICE,
      'group.mjs': `
        import { readFileSync } from 'node:fs';
        let calls = 0;
        export const group = () => ({ calls: ++calls, groups: readFileSync('/proc/self/cgroup', 'utf8') });`,
    };
    world = await anExecutor(files, { onProcessorsNotHeld: (reason) => void said.push(reason) });
  });
  afterAll(async () => {
    await world.stop();
    expect(existsSync(own)).toBe(false);
    expect(said).toEqual([]);
  });

  const shares = (task: ReturnType<typeof shell>): number[] =>
    world.logOf(task).flatMap((line) => /^out had ([\d.]+)$/.exec(line)?.slice(1).map(Number) ?? []);

  test('gets as much of them and no more, its daemons included', async () => {
    const task = shell('node spin-twice.mjs', { resources: { cpu: 0.25 } });
    expect((await world.run(task)).outcome).toEqual({ kind: 'success' });
    expect(shares(task)).toHaveLength(2);
    const together = shares(task).reduce((sum, share) => sum + share);
    expect(together).toBeGreaterThan(0.05);
    expect(together).toBeLessThan(0.4);
    await until(() => readdirSync(own, { withFileTypes: true }).every((entry) => !entry.isDirectory()));
  });

  test('is held from the next look on in what had got away', async () => {
    // Out of the group by itself, as what was started before its parent was in it.
    const leave = `until grep -q sluice- /proc/self/cgroup; do :; done; echo $$ > ${place!.home}/cgroup.procs; grep -q sluice- /proc/self/cgroup && exit 3`;
    const task = shell(`${leave}; until grep -q sluice- /proc/self/cgroup; do :; done`, { resources: { cpu: 0.5 } });
    expect((await world.run(task)).outcome).toEqual({ kind: 'success' });
  });

  test('gives the warm process that served it back without a limit', async () => {
    const body = { kind: 'node', file: 'group.mjs', export: 'group' } as const;
    // The first look of a process at its groups may be before it is in one.
    const warm = await world.run(anAssignment({ body }));
    const held = await world.run(anAssignment({ body, resources: { cpu: 0.5 }, timeoutMs: 10_000 }));
    const free = await world.run(anAssignment({ body }));
    expect([warm, held, free].map(({ outputs }) => outputs.calls)).toEqual([1, 2, 3]);
    expect([warm, held, free].map(({ outputs }) => GROUP.test(String(outputs.groups)))).toEqual([false, true, false]);
    expect(free.outputs.groups).toBe(warm.outputs.groups);
  });

  test('costs others nothing', async () => {
    const task = shell('cat /proc/self/cgroup', { resources: { memory: 2 ** 30 } });
    await world.run(task);
    expect(world.logOf(task).join('\n')).not.toMatch(GROUP);
  });
});

describe('where groups are made', () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sluice-groups-'))));
  afterAll(() => rm(folder, { recursive: true }));

  const read = (...names: string[]): string => readFileSync(join(folder, ...names), 'utf8');

  test('version 2, on a plain folder that is shaped like it: limits are beside our own group', () => {
    mkdirSync(join(folder, 'unit', 'main'), { recursive: true });
    const at = { version: 2, home: join(folder, 'unit', 'main'), parent: join(folder, 'unit') } as const;
    const said: string[] = [];
    const groups = new ProcessorGroups(new ProcessWatch(), (reason) => said.push(reason), at);
    const letGo = groups.hold(4711, 1.5, 'a');
    const ours = ['unit', `sluice-${process.pid}`];
    expect(read('unit', 'cgroup.subtree_control')).toBe('+cpu');
    expect(read(...ours, 'cgroup.subtree_control')).toBe('+cpu');
    expect(read(...ours, 'a.1', 'cpu.max')).toBe('150000 100000');
    expect(read(...ours, 'a.1', 'cgroup.procs')).toBe('4711');
    letGo();
    expect(read('unit', 'main', 'cgroup.procs')).toBe('4711');
    groups.hold(4711, 0.001, 'b')();
    expect(read(...ours, 'b.2', 'cpu.max')).toBe('1000 100000');
    expect(said).toEqual([]);
  });

  test('what a dead predecessor left is removed, and nothing of others', async () => {
    const dead = spawn('true');
    await once(dead, 'exit');
    for (const name of [`sluice-${dead.pid}/7.1`, `sluice-${process.ppid}/8.1`, 'sluice-x', '9'])
      mkdirSync(join(folder, 'left', name), { recursive: true });
    const parent = join(folder, 'left');
    new ProcessorGroups(new ProcessWatch(), () => undefined, { version: 1, home: parent, parent });
    expect(readdirSync(parent).sort()).toEqual(['9', `sluice-${process.ppid}`, 'sluice-x']);
    expect(existsSync(join(parent, `sluice-${process.ppid}`, '8.1'))).toBe(true);
  });

  test.each([
    ['cannot be written', { version: 1, home: '/proc', parent: '/proc' } as const, /ENOENT|EACCES|EPERM/],
    ['do not belong to us', 'systemd has not delegated it', /systemd has not delegated it/],
  ])('that they %s is said once, with the remedy, and nothing is held', (_title, at, reason) => {
    const said: string[] = [];
    const groups = new ProcessorGroups(new ProcessWatch(), (text) => said.push(text), at);
    groups.hold(process.pid, 1, 'a')();
    groups.hold(process.pid, 1, 'b')();
    groups.close();
    expect(said).toEqual([expect.stringMatching(reason)]);
    expect(said[0]).toMatch(/^tasks are not held to their resources\.cpu: .*Delegate=cpu/);
  });

  test('nothing is said where there are no control groups', () => {
    const said: string[] = [];
    new ProcessorGroups(new ProcessWatch(), (text) => said.push(text), null).hold(process.pid, 1, 'a')();
    expect(said).toEqual([]);
  });
});
