// `npm run check`: what a change must pass before it is worth a commit; under half a minute. `npm test` runs everything.
import { CHECKS, jest, run, summarize } from './parts.mjs';

/** Pure libs, whose tests take milliseconds; everything with processes, databases or browsers is left to `npm test`. */
const QUICK = '/libs/(core|dag|engine|contracts)/';

const startedAt = performance.now();
const checks = await Promise.all(CHECKS.map(run));
const tests = await run({ ...jest(['--selectProjects', 'unit', '--testPathPatterns', QUICK]), name: 'quick tests' });
process.exitCode = summarize([...checks, tests], startedAt);
