import type { AlertMessage, AlertSender, SendResult } from '#core';
import { createJenkinsCalls, type JenkinsCalls, type JenkinsOptions } from './jenkins-calls.ts';

/** An input that is not there may come: a build asks for its promotion before it waits. */
const NOT_YET_MS = 15_000;

/** Answers builds that wait for promotions; a target is the address of a build. */
export function createJenkinsSender(options: JenkinsOptions): AlertSender {
  const calls = createJenkinsCalls(options);
  return {
    kind: 'jenkins',
    send: (build, message) =>
      answer(calls, build, message).catch((error: unknown) => ({
        ...{ kind: 'retry', afterMs: null, error: (error as Error).message },
      })),
  };
}

async function answer(calls: JenkinsCalls, build: string, { input }: AlertMessage): Promise<SendResult> {
  if (input === undefined) return { kind: 'rejected', error: 'a build is only told what became of its input' };
  const status = await calls.status(build);
  // Whether it ended because an earlier try arrived or for another reason, nothing waits there.
  if (status === null) return sent('there is no such build any more');
  if (status.result !== null) return sent(`the build has ended: ${status.result}`);
  if (await calls.answer(build, input.id, input.answer)) return sent(`input ${input.id}: ${input.answer}`);
  const error = `the build is under way, and does not wait at its input ${input.id}: not yet, or no more`;
  return { kind: 'retry', afterMs: NOT_YET_MS, error };
}

function sent(detail: string): SendResult {
  return { kind: 'sent', thread: '', detail };
}
