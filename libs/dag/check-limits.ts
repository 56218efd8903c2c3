import type { CompiledPipeline, EnvironmentConfig, Problem } from '#core';
import { neverFits, otherInstallation } from '#core';
import { quote } from './source/quote.ts';
import { withOverlay } from './with-overlay.ts';

/**
 * Tasks that ask for more than an environment has at all, by the file of their pipeline below `dags/`. What another
 * installation has it says itself.
 */
export function checkLimits(
  pipelines: readonly CompiledPipeline[],
  environments: readonly EnvironmentConfig[],
): ReadonlyMap<string, Problem[]> {
  const problems = new Map<string, Problem[]>();
  for (const environment of environments.filter(({ promotion }) => otherInstallation(promotion) === null))
    for (const { file, tasks } of pipelines.map((pipeline) => withOverlay(pipeline, environment.name)))
      for (const { id, line, ...task } of tasks) {
        const why = neverFits(task, environment);
        if (why === null) continue;
        const message = `Task ${quote(id)} can never begin in ${environment.name}: ${why}.`;
        const hint = `Ask for less, in ${environment.name} alone under \`environments:\`, or raise it there.`;
        problems.set(file, [...(problems.get(file) ?? []), { file, line, column: 1, message, hint }]);
      }
  return problems;
}
