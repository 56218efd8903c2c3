import { SluiceError } from '#core';
import { openInstallation, runProcess } from '#platform';
import { serveApi } from './serve.ts';

await runProcess(async ({ config, log, version, packageRoot, say }) => {
  const databaseUrl = config.databaseUrl?.reveal();
  if (!databaseUrl)
    throw new SluiceError('invalid_config', 'DATABASE_URL is not set; the API alone needs a Postgres.', {
      hint: 'Set it, or use `npm start`, which brings its own.',
    });
  const installation = await openInstallation({
    config,
    databaseUrl,
    log,
    publicUrl: config.publicUrl ?? '',
    packageRoot,
  });
  await installation.environments.load(installation.store, 'api');
  const served = await serveApi({ installation, log, version, packageRoot, problems: () => [] });
  say(`Sluice API ${version} at ${served.url}`);
  return {
    stop: async () => {
      await served.close();
      await installation.close();
    },
  };
});
