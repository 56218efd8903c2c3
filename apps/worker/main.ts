import { SluiceError } from '#core';
import { runProcess, startWorker } from '#platform';

await runProcess(async ({ config, log, version, packageRoot, say }) => {
  const attemptId = attemptOf(process.argv.slice(2));
  const worker = await startWorker({ config, log, packageRoot, attemptId });
  const what = attemptId === null ? 'works' : `executes attempt ${attemptId}`;
  say(`Sluice worker ${version} ${what} for ${config.serverUrl ?? ''}`);
  return worker;
});

/** Of `--attempt ID`; null: it takes whatever waits. */
function attemptOf(args: readonly string[]): string | null {
  const at = args.indexOf('--attempt');
  if (at === -1) return null;
  const id = args[at + 1] ?? '';
  if (/^[1-9]\d{0,17}$/.test(id)) return id;
  throw new SluiceError('bad_request', `--attempt is ${JSON.stringify(id)}, expected the id of an attempt.`);
}
