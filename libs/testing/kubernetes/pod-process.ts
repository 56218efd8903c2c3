import { spawn, type ChildProcess } from 'node:child_process';
import type { V1Container } from '@kubernetes/client-node';

export interface PodPrograms {
  /** What the first word of a command stands for, as an image would: the words of a program on this machine. */
  readonly programs: Readonly<Record<string, readonly string[]>>;
  /** Values of Secrets, by name and key. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** More variables of one pod; they win over its own, since a pod has a file system of its own. */
  readonly envOf: (pod: string) => Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface PodProcess {
  readonly child: ChildProcess;
  /** What it wrote, both streams. */
  text(): string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Runs the command of a container as a process of this machine, in a group of its own, with its variables and nothing else. */
export function runContainer(pod: string, container: V1Container, given: PodPrograms): PodProcess {
  const [word = '', ...rest] = [...(container.command ?? []), ...(container.args ?? [])];
  const [program = word, ...before] = given.programs[word] ?? [word];
  const variables = (container.env ?? []).map(({ name, value, valueFrom }) => {
    const ref = valueFrom?.secretKeyRef;
    return [name, ref ? (given.secrets[ref.name ?? '']?.[ref.key] ?? '') : (value ?? '')] as const;
  });
  const child = spawn(program, [...before, ...rest], {
    cwd: given.cwd,
    detached: true,
    env: { PATH: process.env.PATH ?? '', ...Object.fromEntries(variables), ...given.envOf(pod) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('error', () => resolve({ code: 128, signal: null }));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return { child, text: () => text, ended };
}

/** Everything in it, as a container ends. */
export function killContainer({ child }: PodProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
