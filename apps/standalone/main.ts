import { runProcess } from '#platform';
import { startStandalone } from './standalone.ts';

await runProcess(async ({ config, log, version, packageRoot, say }) => {
  const standalone = await startStandalone({ config, log, version, packageRoot, progress: say });
  say(`\n  Sluice ${version} runs at ${standalone.url}/#code=${standalone.loginCode()}`);
  say('  (the code signs a browser in once; `npx sluice open` makes another)');
  say(`  Project ${config.project}, data in ${config.home}. Stop with Ctrl-C.\n`);
  for (const problem of standalone.tree.problems()) {
    say(`${problem.file}:${problem.line}:${problem.column}: ${problem.message}`);
    if (problem.hint) say(`  hint: ${problem.hint}`);
  }
  return standalone;
});
