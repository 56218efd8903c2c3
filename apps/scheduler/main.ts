import { SluiceError } from '#core';
import { openInstallation, runProcess, WorkingTree } from '#platform';

await runProcess(async ({ config, log, version, packageRoot, say }) => {
  const databaseUrl = config.databaseUrl?.reveal();
  if (!databaseUrl)
    throw new SluiceError('invalid_config', 'DATABASE_URL is not set; the scheduler alone needs a Postgres.', {
      hint: 'Set it, or use `npm start`, which brings its own.',
    });
  const installation = await openInstallation({
    config,
    databaseUrl,
    log,
    publicUrl: config.publicUrl ?? '',
    packageRoot,
  });
  const { store, releases, environments, followsRemote } = installation;
  const tree = new WorkingTree({
    project: config.project,
    store,
    releases,
    environments,
    followsRemote,
    log,
    onChange: () => installation.wake(),
  });
  installation.onUnfollowed(() => void tree.refresh());
  await tree.follow();
  await installation.startScheduler();
  say(`Sluice scheduler ${version} runs`);
  return {
    stop: async () => {
      tree.close();
      await installation.close();
    },
  };
});
