import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { heldBy, processesUnder, readProcesses } from './process-memory.ts';

const MIB = 2 ** 20;

test.each([
  [
    'its session and what these started',
    [
      [10, 1, 10],
      [11, 10, 10],
      [12, 11, 12],
      [13, 12, 12],
      [20, 1, 20],
    ],
    [10, 11, 12, 13],
  ],
  [
    'those of its session whose parent is gone',
    [
      [11, 1, 10],
      [12, 11, 12],
      [20, 1, 20],
    ],
    [11, 12],
  ],
  [
    'nobody',
    [
      [20, 1, 20],
      [21, 20, 20],
    ],
    [],
  ],
] as const)('under a process are %s', (_title, lines, expected) => {
  const processes = lines.map(([pid, parent, session]) => ({ pid, parent, session, resident: 0 }));
  expect(
    processesUnder(10, [...processes].reverse())
      .map(({ pid }) => pid)
      .sort(),
  ).toEqual(expected);
});

const python = process.env.SLUICE_TEST_PYTHON;

/** 64 MiB of its own, 64 MiB that a child shares with it, and 128 MiB mapped from a file. */
const HOLDS = `
import mmap, os, sys
own = bytearray(os.urandom(1) * 2**26)
if os.fork() == 0: os.read(0, 1); os._exit(0)
file = open(sys.argv[1], "rb")
mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
print(sum(mapped[at] for at in range(0, len(mapped), 4096)), flush=True)
os.read(0, 1)
`;

// It needs a Python that maps a file, which node does not.
(python === undefined ? test.skip : test)(
  'what is mapped from files is not held, and what is shared counts once',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-memory-'));
    await writeFile(join(folder, 'file'), '');
    await truncate(join(folder, 'file'), 128 * MIB);
    const child = spawn(python!, ['-c', HOLDS, join(folder, 'file')], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const own = processesUnder(child.pid!, readProcesses());
    expect(own).toHaveLength(2);
    expect(own.reduce((sum, { resident }) => sum + resident, 0)).toBeGreaterThan((64 + 128) * MIB);
    const held = heldBy(own);
    expect(held).toBeGreaterThan(64 * MIB);
    expect(held).toBeLessThan(64 * MIB + 40 * MIB);
    child.stdin.end();
    await once(child, 'exit');
    expect(heldBy(own)).toBe(0);
    await rm(folder, { recursive: true });
  },
);
