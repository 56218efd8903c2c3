// What adapters in JavaScript have in common: the specification, and rounds that are asked for on standard input.
import { readFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

export const spec = JSON.parse(readFileSync(process.env.PEER_SPEC, 'utf8'));
export const pipelines = new Map(spec.pipelines.map((pipeline) => [pipeline.name, pipeline]));

/**
 * Calls `round` with the names of pipelines to run at once, whenever some are asked for; answers on file descriptor 3. After this
 * program was killed, `resume` is to go on with what was asked for. Runs that stay are not waited for.
 */
export async function serve(round, resume) {
  say({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      const asked = JSON.parse(line);
      const ended = (asked.resume ? resume : round)(asked.runs);
      if (asked.stays) ended.catch((error) => console.error(error));
      else await ended;
      say({ done: true });
    } catch (error) {
      say({ error: String(error?.stack ?? error) });
    }
  }
}

function say(message) {
  writeSync(3, `${JSON.stringify(message)}\n`);
}
