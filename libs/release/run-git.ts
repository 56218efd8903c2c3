import { spawn } from 'node:child_process';
import { SluiceError } from '#core';
import type { GitStart } from './git.ts';
import { noGit } from './git-objects.ts';

export interface GitAnswer {
  /** Null: ended by a signal. */
  readonly code: number | null;
  readonly out: string;
  /** What git said, at most some lines of it. */
  readonly said: string;
}

export interface GitLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** More output than this ends git. */
  readonly maxBytes?: number;
}

const MAX_SAID = 4000;

/**
 * One git command that may talk to another machine: in a process group of its own, so that ssh and the like end with it.
 * Throws `timeout` when it takes too long or is aborted, `unavailable` without git.
 */
export function runGit(git: GitStart, args: readonly string[], limits: GitLimits): Promise<GitAnswer> {
  const { timeoutMs, signal, maxBytes = 1024 * 1024 } = limits;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(git));
    const child = spawn('git', [...git.args, ...args], {
      cwd: git.cwd,
      env: { ...git.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let [out, said, end] = ['', '', null as SluiceError | null];
    const stop = (why: SluiceError): void => {
      end ??= why;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It ended by itself meanwhile.
      }
    };
    const onAbort = (): void => stop(aborted(git));
    const timer = setTimeout(
      () => stop(new SluiceError('timeout', `git ${args[0] ?? ''} took longer than ${timeoutMs / 1000} s.`)),
      timeoutMs,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (out.length > maxBytes)
        stop(new SluiceError('conflict', `git ${args[0] ?? ''} answered more than ${maxBytes} bytes.`));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < MAX_SAID) said += text.slice(0, MAX_SAID);
    });
    const over = (done: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      done();
    };
    child.once('error', (cause) => over(() => reject(noGit(git, cause))));
    child.once('close', (code) => over(() => (end === null ? resolve({ code, out, said }) : reject(end))));
  });
}

function aborted(git: GitStart): SluiceError {
  return new SluiceError('timeout', `git was stopped in ${git.cwd}.`);
}
