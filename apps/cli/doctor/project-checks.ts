import { SluiceError } from '#core';
import type { Cli } from '../cli.ts';
import { findProject } from '../project/project.ts';
import { fail, ok, warn, type Finding } from './check.ts';

/** The project's root, or the working directory when there is none yet. */
export async function checkProjectFolder(cwd: string): Promise<{ root: string; finding: Finding }> {
  try {
    const { root } = await findProject(cwd);
    return { root, finding: ok('project', root) };
  } catch {
    return {
      root: cwd,
      finding: warn('project', 'no dags/ here or above', '`sluice init` makes one, with an example.'),
    };
  }
}

/** Whether a server is known here, answers, and takes the token. */
export async function checkServer(cli: Cli): Promise<Finding> {
  try {
    const { url, source } = await cli.server();
    const { version } = await (await cli.connect()).system();
    return ok('server', `${url}, version ${version}, from ${source}`);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    if (error.code === 'unauthorized')
      return fail('server', error.message, error.hint ?? 'Start the server again; it writes a new token.');
    return warn('server', error.message, error.hint ?? '`npm start` starts one.');
  }
}
