// What a task of a JavaScript engine does: its work, then one line in the file of effects, in one write.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

export function fibo(n) {
  return n < 2 ? n : fibo(n - 1) + fibo(n - 2);
}

/** A script for bash, whose clock is CLOCK_REALTIME: its stamps begin with r. Run and task may be variables of the shell. */
export function shellText(effects, engine, run, task, attempt, work = 'true') {
  return `s=$EPOCHREALTIME; ${work}; echo "${engine},${run},${task},${attempt},r$s,r$EPOCHREALTIME,$$" >> '${effects}'`;
}

/** The work for `shellText` that says that it begins. */
export function watchedText(effects, engine, run, task, attempt, n) {
  return `echo "${engine},${run},${task},${attempt},r$s,r$s,$$" >> '${effects}.begun'; sleep ${n}`;
}

export async function perform({ effects, engine }, run, { id, kind, n }, attempt = 1) {
  if (kind === 'shell') {
    const bash = spawn('bash', ['-c', shellText(effects, engine, run, id, attempt)], { stdio: 'ignore' });
    const [code] = await once(bash, 'exit');
    if (code !== 0) throw new Error(`bash ended with ${code}`);
    return;
  }
  const start = process.hrtime.bigint();
  const line = (end) => `${engine},${run},${id},${attempt},${start},${end},${process.pid}\n`;
  if (kind === 'watched') appendFileSync(`${effects}.begun`, line(start));
  if (kind === 'fibo') fibo(n);
  else if (kind === 'sleep' || kind === 'watched') await pause(n * 1000);
  appendFileSync(effects, line(process.hrtime.bigint()));
}
