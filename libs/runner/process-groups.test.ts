import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootId, startTicks } from './child/process-file.mjs';
import { endLeftovers } from './end-leftovers.ts';
import { anAssignment, anExecutor, shell, type ExecutorFixture } from './executor-fixture.ts';

const ROOT = join(import.meta.dirname, '..', '..');

function alive(pid: number): boolean {
  return startTicks(pid) !== null;
}

/** Pids of processes that carry the marker of one of these record files. */
function marked(pidFolder: string): number[] {
  const markers = readdirSync(pidFolder).map((name) => name.split('.')[0]!);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
        return alive(pid) && markers.some((marker) => environment.includes(`SLUICE_PROCESS=${marker}`));
      } catch {
        return false; // it ended while we looked
      }
    });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

const DAEMON = `
import subprocess
daemon = subprocess.Popen(["sh", "-c", "read go; yes & yes & exec sleep 1000"], stdin=subprocess.PIPE, start_new_session=True)
print("pid", daemon.pid, flush=True)
daemon.stdin.close()
`;

describe('process groups', () => {
  let world: ExecutorFixture;
  beforeAll(async () => {
    world = await anExecutor({ 'daemon.py': DAEMON }, { graceMs: 200 });
  });
  afterAll(() => world.stop());

  const STUBBORN = `trap '' TERM; (trap '' TERM; sleep 1000 & echo "pid $!"; wait) & echo "pid $!"; wait`;

  function pidsOf(task: ReturnType<typeof shell>): number[] {
    return world
      .logOf(task)
      .flatMap((line) => (/^out pid (\d+)/.exec(line)?.[1] ? [Number(/(\d+)/.exec(line)![1])] : []));
  }

  test('a time-out kills children and grandchildren that ignore TERM', async () => {
    const task = shell(STUBBORN, { timeoutMs: 300 });
    const result = await world.run(task);
    expect(result.outcome).toEqual({ kind: 'timed_out', message: 'timed out after 0.3 s' });
    expect(pidsOf(task)).toHaveLength(2);
    expect(pidsOf(task).filter(alive)).toEqual([]);
    expect(result.finishedAt - result.startedAt).toBeLessThan(300 + 200 + 1_000);
  });

  test('a task that reacts to TERM may end within the grace period', async () => {
    const task = shell(`trap 'echo tidied; exit 1' TERM; echo ready; while :; do sleep 0.01; done`);
    const result = world.run(task);
    await world.lineOf(task, /ready/);
    world.executor.cancel(task.attemptId, 'by anna');
    expect((await result).outcome).toEqual({ kind: 'cancelled', message: 'cancelled: by anna' });
    expect(world.logOf(task)).toContain('out tidied');
  });

  test('what a script left in the background ends with it', async () => {
    const task = shell('sleep 1000 & echo "pid $!"');
    expect((await world.run(task)).outcome).toEqual({ kind: 'success' });
    expect(pidsOf(task).filter(alive)).toEqual([]);
  });

  test('a daemon that left the group and holds the output is found, and does not hold up the attempt', async () => {
    const task = shell(`setsid bash -c 'echo "pid $$"; exec sleep 1000' & sleep 0.1`);
    const result = await world.run(task);
    expect(result.outcome).toEqual({ kind: 'success' });
    expect(pidsOf(task)).toHaveLength(1);
    await until(() => !pidsOf(task).some(alive));
  });

  test('a daemon of a python task is found, too, though others write for ever', async () => {
    const task = anAssignment({ body: { kind: 'python', file: 'daemon.py', module: null, function: null } });
    const result = await world.run(task);
    expect(result.outcome).toEqual({ kind: 'success' });
    expect(pidsOf(task)).toHaveLength(1);
    await until(() => !pidsOf(task).some(alive));
  });

  test('when the launcher is killed, its attempts are lost and the next ones run', async () => {
    const task = shell(STUBBORN);
    const result = world.run(task);
    await until(() => pidsOf(task).length === 2);
    process.kill(launcherOf(pidsOf(task)[0]!), 'SIGKILL');
    expect((await result).outcome).toEqual({ kind: 'lost', message: 'the launcher process died' });
    // They have been killed by now, which the kernel carries out in a time of its own.
    await until(() => !pidsOf(task).some(alive));
    expect((await world.run(shell('true'))).outcome).toEqual({ kind: 'success' });
  });

  function launcherOf(pid: number): number {
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('launcher.mjs')) return pid;
    return launcherOf(Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]));
  }
});

describe('stopping', () => {
  test('running attempts are lost after the grace period, waiting ones deferred, and no process is left', async () => {
    const world = await anExecutor({}, { concurrency: 1 });
    const running = shell('echo ready; sleep 1000');
    const waiting = shell('true');
    world.executor.dispatch([running, waiting, waiting]);
    await world.lineOf(running, /ready/);
    const markers = marked(world.pidFolder);
    expect(markers.length).toBeGreaterThanOrEqual(2);
    await world.executor.stop(0);
    expect((await world.finished(running.attemptId)).outcome).toEqual({
      kind: 'lost',
      message: 'the executor was stopped',
    });
    expect((await world.finished(waiting.attemptId)).outcome).toMatchObject({ kind: 'deferred', afterMs: 0 });
    expect(markers.filter(alive)).toEqual([]);
    expect(readdirSync(world.pidFolder)).toEqual([]);
    expect(readdirSync(world.scratchFolder)).toEqual([]);
    expect(world.reports.filter((report) => report.kind === 'finished')).toHaveLength(2);
    rmSync(world.folder, { recursive: true });
  });

  test('attempts that end within the grace period are not disturbed', async () => {
    const world = await anExecutor();
    const task = shell('echo ready; sleep 0.2; echo done');
    world.executor.dispatch([task]);
    await world.lineOf(task, /ready/);
    await world.executor.stop(10_000);
    expect((await world.finished(task.attemptId)).outcome).toEqual({ kind: 'success' });
    rmSync(world.folder, { recursive: true });
  });

  test('a waiting attempt is cancelled without a process, and a second dispatch of it changes nothing', async () => {
    const world = await anExecutor({}, { concurrency: 1 });
    const running = shell('echo ready; sleep 1000');
    const waiting = shell('true');
    world.executor.dispatch([running, waiting]);
    await world.lineOf(running, /ready/);
    world.executor.cancel(waiting.attemptId, 'changed my mind');
    world.executor.dispatch([waiting]);
    expect((await world.finished(waiting.attemptId)).outcome).toEqual({
      kind: 'cancelled',
      message: 'cancelled: changed my mind',
    });
    expect(world.executor.running()).toBe(1);
    await world.stop();
  });
});

describe('kill -9 of the whole program', () => {
  async function crashed(alsoTheLauncher: boolean): Promise<{ pidFolder: string; folder: string; pids: number[] }> {
    const driver = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'crash-driver.ts')], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(driver.stdout, 'data')) as [Buffer];
    const { pidFolder, folder } = JSON.parse(line.toString()) as { pidFolder: string; folder: string };
    const pids = marked(pidFolder);
    if (alsoTheLauncher) {
      const launchers = pids.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('launcher.mjs'));
      // Stopped first, so that neither can work between the two kills.
      driver.kill('SIGSTOP');
      for (const pid of launchers) process.kill(pid, 'SIGSTOP');
      for (const pid of launchers) process.kill(pid, 'SIGKILL');
    }
    driver.kill('SIGKILL');
    await once(driver, 'exit');
    return { pidFolder, folder, pids };
  }

  test('leaves no process of any kind of task, and no scratch', async () => {
    const { folder, pids, pidFolder } = await crashed(false);
    expect(pids.length).toBeGreaterThanOrEqual(9);
    await until(() => !pids.some(alive));
    await until(() => readdirSync(pidFolder).length === 0);
    expect(readdirSync(join(folder, 'scratch'))).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  test('with the launcher killed too, the next start ends what is left', async () => {
    const { folder, pids, pidFolder } = await crashed(true);
    expect(pids.filter(alive).length).toBeGreaterThanOrEqual(5);
    expect(await endLeftovers(pidFolder)).toBeGreaterThanOrEqual(5);
    await until(() => !pids.some(alive));
    expect(readdirSync(pidFolder)).toEqual([]);
    expect(existsSync(join(folder, 'scratch'))).toBe(true);
    expect(readdirSync(join(folder, 'scratch'))).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

describe('the records of a dead predecessor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pids-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const sleeper = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
  afterAll(() => void sleeper.kill('SIGKILL'));
  const GONE = { pid: 4_000_000, start: '1' };

  async function endRecorded(header: object, line: string): Promise<number> {
    const pidFolder = mkdtempSync(join(folder, 'p'));
    writeFileSync(join(pidFolder, 'aaaaaaaaaaaaaaaaaa.pids'), `${JSON.stringify(header)}\n${line}\n`);
    return endLeftovers(pidFolder);
  }

  test('do not hit a process that was given a recorded pid later', async () => {
    expect(await endRecorded({ owner: GONE, boot: bootId(), marker: 'x' }, `+ ${sleeper.pid} 12345`)).toBe(0);
    expect(alive(sleeper.pid!)).toBe(true);
  });

  test('are left alone while their owner lives, and after the machine was restarted', async () => {
    const live = { pid: process.pid, start: startTicks(process.pid) };
    const start = startTicks(sleeper.pid!);
    expect(await endRecorded({ owner: live, boot: bootId(), marker: 'x' }, `+ ${sleeper.pid} ${start}`)).toBe(0);
    expect(await endRecorded({ owner: GONE, boot: 'another', marker: 'x' }, `+ ${sleeper.pid} ${start}`)).toBe(0);
    expect(alive(sleeper.pid!)).toBe(true);
  });

  test('are survived when they are torn, empty or missing', async () => {
    const pidFolder = mkdtempSync(join(folder, 'p'));
    writeFileSync(join(pidFolder, 'bbbbbbbbbbbbbbbbbb.pids'), '{"owner":{"pi');
    writeFileSync(join(pidFolder, 'cccccccccccccccccc.pids'), '');
    mkdirSync(join(pidFolder, 'unrelated'));
    expect(await endLeftovers(pidFolder)).toBe(0);
    expect(await endLeftovers(join(folder, 'missing'))).toBe(0);
  });

  test('end a group that is still the recorded one', async () => {
    const start = startTicks(sleeper.pid!);
    expect(await endRecorded({ owner: GONE, boot: bootId(), marker: 'x' }, `+ ${sleeper.pid} ${start}`)).toBe(1);
    await until(() => !alive(sleeper.pid!));
  });
});
