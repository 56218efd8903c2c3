import { runProcess, startWorker } from '#platform';

await runProcess(async ({ config, log, version, packageRoot, say }) => {
  const worker = await startWorker({ config, log, packageRoot });
  say(`Sluice worker ${version} works for ${config.serverUrl ?? ''}`);
  return worker;
});
