import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '#core';
import { createLog, loadConfig } from '#platform';
import { startStandalone } from './standalone.ts';

const packageRoot = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string };
const say = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  const config = loadConfig();
  const standalone = await startStandalone({
    config,
    log: createLog({ level: config.logLevel }),
    version,
    packageRoot,
    progress: say,
  });
  say(`\n  Sluice ${version} runs at ${standalone.url}/#code=${standalone.loginCode()}`);
  say('  (the code signs this browser in once; `npx sluice open` makes another)');
  say(`  Project ${config.project}, data in ${config.home}. Stop with Ctrl-C.\n`);
  for (const problem of standalone.tree.problems())
    say(
      `${problem.file}:${problem.line}:${problem.column}: ${problem.message}${problem.hint ? `\n  hint: ${problem.hint}` : ''}`,
    );
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      // A second Ctrl-C does not wait.
      if (stopping) process.exit(130);
      stopping = true;
      say('Stopping …');
      void standalone.stop().then(() => process.exit(0));
    });
} catch (error) {
  const { message, hint } =
    error instanceof SluiceError ? error : { message: (error as Error).stack ?? String(error), hint: undefined };
  process.stderr.write(`error: ${message}\n${hint ? `hint: ${hint}\n` : ''}`);
  process.exit(1);
}
