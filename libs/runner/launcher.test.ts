import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Launcher, type ProcessEnd } from './launcher.ts';

/** More than all pipes between a process and us hold. */
const MUCH = 16 * 1024 * 1024;

let folder: string;
let launcher: Launcher;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-launcher-'));
  launcher = new Launcher({
    childFolder: path.join(import.meta.dirname, 'child'),
    scratchFolder: path.join(folder, 'scratch'),
    pidFolder: path.join(folder, 'pids'),
  });
});
afterEach(async () => {
  await launcher.close();
  await rm(folder, { recursive: true });
});

interface Heard {
  readonly bytes: () => number;
  readonly text: () => string;
  readonly first: Promise<void>;
  readonly end: Promise<ProcessEnd>;
}

/** Runs a script whose listener wants no more output than its first chunk until `holding` resolves. */
function run(script: string, holding: Promise<void> | null = null): Heard {
  let bytes = 0;
  let text = '';
  let hear = (): void => undefined;
  const first = new Promise<void>((resolve) => (hear = resolve));
  const request = { file: '/bin/sh', args: ['-c', script], cwd: folder, env: { PATH: '/usr/bin:/bin' } };
  const end = new Promise<ProcessEnd>((resolve) => {
    launcher.launch(
      { ...request, input: false, control: false },
      {
        output: (_stream, chunk) => {
          bytes += chunk.length;
          text = chunk.toString();
          hear();
          return holding;
        },
        ended: resolve,
      },
    );
  });
  return { bytes: () => bytes, text: () => text, first, end };
}

test('a process whose output is held back waits, alone, and nothing of it is lost', async () => {
  let goOn = (): void => undefined;
  const loud = run(`head -c ${MUCH} /dev/zero`, new Promise<void>((resolve) => (goOn = resolve)));
  await loud.first;
  // Others come and go meanwhile: time enough for all of it, if nobody held it back.
  for (let i = 0; i < 5; i++) {
    const other = run(`head -c ${MUCH} /dev/zero`);
    expect(await other.end).toMatchObject({ kind: 'exited', code: 0 });
    expect(other.bytes()).toBe(MUCH);
  }
  expect(loud.bytes()).toBeLessThan(MUCH / 2);
  goOn();
  expect(await loud.end).toMatchObject({ kind: 'exited', code: 0 });
  expect(loud.bytes()).toBe(MUCH);
});

test('what a process wrote before its end is heard, whoever holds it back', async () => {
  const never = new Promise<void>(() => undefined);
  await run(`mkfifo ${folder}/go`).end;
  const brief = run(`echo once; read x < ${folder}/go; head -c 50000 /dev/zero`, never);
  await brief.first;
  await run(`echo > ${folder}/go`).end;
  expect(await brief.end).toMatchObject({ kind: 'exited', code: 0 });
  expect(brief.bytes()).toBe(50_005);
});

test('what it relayed does not stay in its memory', async () => {
  const heldMiB = async (): Promise<number> => {
    const { text, end } = run('cat /proc/$PPID/statm');
    await end;
    return (Number(text().split(' ')[1]) * 4096) / 1024 ** 2;
  };
  const before = await heldMiB();
  for (let i = 0; i < 8; i += 1) await run(`head -c ${MUCH} /dev/zero`).end;
  // Without being told to V8 collects them when they are 32 MiB.
  expect((await heldMiB()) - before).toBeLessThan(30);
});

test('asking again for the end of a process does not give it more time', async () => {
  const args = ['-c', `trap '' TERM; echo ready; while :; do sleep 1; done`];
  const request = { file: '/bin/sh', args, cwd: folder, env: { PATH: '/usr/bin:/bin' }, input: false, control: false };
  const end = await new Promise<ProcessEnd>((ended) => {
    const stubborn = launcher.launch(request, {
      output: () => {
        stubborn.end(1);
        stubborn.end(3_600_000);
        return null;
      },
      ended,
    });
  });
  expect(end).toEqual({ kind: 'exited', code: null, signal: 'SIGKILL' });
});
