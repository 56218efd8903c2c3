import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Packages of Python that tests need are installed here and nowhere else. */
const OWN_PYTHON = fileURLToPath(new URL('../node_modules/.cache/sluice-python', import.meta.url));

/**
 * What some tests need beyond npm packages. Tests read the path from `variable` and skip themselves when it is not set.
 * With CI=true a missing one fails the run, unless it is `optional`.
 */
export const TOOLS = [
  {
    name: 'chromium',
    variable: 'SLUICE_TEST_CHROMIUM',
    apt: 'chromium',
    remedy: 'install Chromium or Chrome, or set SLUICE_TEST_CHROMIUM to its executable',
    find: () => firstOnPath(['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) ?? elsewhere(),
  },
  {
    name: 'python3 (3.9 or newer)',
    variable: 'SLUICE_TEST_PYTHON',
    apt: 'python3',
    remedy: 'install python3 ≥ 3.9, or set SLUICE_TEST_PYTHON to its executable',
    find: () =>
      ['python3', 'python'].map((name) => firstOnPath([name])).find((path) => path !== null && isPython39(path)) ??
      null,
  },
  {
    name: 'python3 with nbclient and ipykernel',
    variable: 'SLUICE_TEST_NOTEBOOK',
    pip: ['nbclient', 'ipykernel'],
    remedy: 'set SLUICE_TEST_NOTEBOOK to a python3 ≥ 3.9 after `python3 -m pip install nbclient ipykernel`',
    find: () => [join(OWN_PYTHON, 'bin', 'python3'), firstOnPath(['python3'])].find(hasKernel) ?? null,
  },
  {
    name: 'groovy (with Java)',
    variable: 'SLUICE_TEST_GROOVY',
    apt: 'groovy default-jre-headless',
    remedy:
      'install groovy ≥ 2.4 and a Java runtime, or set SLUICE_TEST_GROOVY to the groovy executable beside groovyc',
    find: () => {
      const path = firstOnPath(['groovy']);
      return path !== null && runs(path, ['--version']) ? path : null;
    },
  },
  {
    name: 'jq',
    variable: 'SLUICE_TEST_JQ',
    apt: 'jq',
    remedy: 'install jq, or set SLUICE_TEST_JQ to its executable',
    find: () => firstOnPath(['jq']),
  },
  {
    name: 'redis-server (6.2 or newer)',
    variable: 'SLUICE_TEST_REDIS',
    apt: 'redis-server',
    remedy: 'install redis ≥ 6.2, or set SLUICE_TEST_REDIS to the executable of its server',
    find: () => firstOnPath(['redis-server', 'valkey-server']),
  },
  {
    name: 'spark-submit (3.4 or newer, with Java)',
    variable: 'SLUICE_TEST_SPARK',
    // 400 MB that no distribution packages. What tasks give it is checked with a stand-in as well, so that CI can do without.
    optional: true,
    remedy:
      'install a Java runtime, and Spark with `python3 -m pip install pyspark`, or set SLUICE_TEST_SPARK to spark-submit',
    find: () => (firstOnPath(['java']) === null ? null : firstOnPath(['spark-submit'])),
  },
  {
    name: 'kubectl (1.22 or newer)',
    variable: 'SLUICE_TEST_KUBECTL',
    // Debian 12 has one that is too old. What it renders is checked unrendered as well, so that CI can do without.
    optional: true,
    remedy: 'install kubectl ≥ 1.22, or set SLUICE_TEST_KUBECTL to its executable',
    find: () => {
      const path = firstOnPath(['kubectl']);
      return path !== null && runs(path, ['kustomize', '--enable-helm=false', '--help']) ? path : null;
    },
  },
];

/**
 * Looks for every tool, or for those of these variables, and installs what is missing: as root on Debian, packages of
 * Python always, beside node_modules.
 * @returns {{ found: Record<string, string>, missing: typeof TOOLS }}
 */
export function provideTools(variables = TOOLS.map(({ variable }) => variable)) {
  const tools = TOOLS.filter(({ variable }) => variables.includes(variable));
  const first = lookForTools(tools);
  // A variable that is set, even to nothing, is somebody's decision.
  const wanted = first.missing.filter(({ variable }) => process.env[variable] === undefined);
  const fromApt = wanted.flatMap(({ apt }) => apt?.split(' ') ?? []);
  const fromPip = wanted.flatMap(({ pip }) => pip ?? []);
  if (fromApt.length > 0 && canInstall()) install(fromApt);
  if (fromPip.length > 0 && firstOnPath(['python3']) !== null) installPython(fromPip);
  return wanted.length === 0 ? first : lookForTools(tools);
}

/**
 * For commands that are nothing without these: ends the process with the remedy where one cannot be had.
 * @returns {Record<string, string>} paths by variable
 */
export function needTools(variables) {
  const { found, missing } = provideTools(variables);
  for (const { name, variable, remedy } of missing) {
    const given = process.env[variable];
    const why = given ? `: ${variable} is ${given}, which is not an executable file` : '';
    process.stderr.write(`error: no ${name} was found${why}\nhint: ${remedy}\n`);
  }
  if (missing.length > 0) process.exit(2);
  return found;
}

function lookForTools(tools) {
  const found = {};
  const missing = [];
  for (const tool of tools) {
    const given = process.env[tool.variable];
    const path = given === undefined ? tool.find() : isExecutable(given) ? given : null;
    if (path === null) missing.push(tool);
    else found[tool.variable] = path;
  }
  return { found, missing };
}

function canInstall() {
  return process.getuid?.() === 0 && firstOnPath(['apt-get']) !== null;
}

function install(packages) {
  process.stderr.write(`installing ${packages.join(' and ')} with apt-get, which a test or benchmark needs\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Standard output is the test report's; apt-get's goes to standard error.
  const options = { env, stdio: ['ignore', 2, 2], timeout: 600_000 };
  try {
    execFileSync('apt-get', ['update', '-qq'], options);
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
  } catch (error) {
    process.stderr.write(`apt-get did not do it (${error.message}); going on without\n`);
  }
}

function installPython(packages) {
  process.stderr.write(`installing ${packages.join(' and ')} with pip, which a test needs\n`);
  const options = { stdio: ['ignore', 2, 2], timeout: 600_000 };
  try {
    execFileSync(firstOnPath(['python3']), ['-m', 'venv', OWN_PYTHON], options);
    execFileSync(join(OWN_PYTHON, 'bin', 'python3'), ['-m', 'pip', 'install', '-q', ...packages], options);
  } catch (error) {
    process.stderr.write(`pip did not do it (${error.message}); going on without\n`);
  }
}

function firstOnPath(names) {
  for (const name of names)
    for (const folder of (process.env.PATH ?? '').split(delimiter))
      if (folder !== '' && isExecutable(join(folder, name))) return join(folder, name);
  return null;
}

/** A browser that Playwright downloaded, or the one of a Mac. */
function elsewhere() {
  const cache = process.env.PLAYWRIGHT_BROWSERS_PATH ?? join(homedir(), '.cache', 'ms-playwright');
  const downloaded = list(cache)
    .filter((name) => /^chromium-\d+$/.test(name))
    .sort()
    .reverse()
    .flatMap((name) => ['chrome-linux/chrome', 'chrome-linux64/chrome'].map((file) => join(cache, name, file)));
  const mac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
  return [...downloaded, mac].find(isExecutable) ?? null;
}

function isPython39(path) {
  const script = 'import sys; sys.exit(0 if sys.version_info >= (3, 9) else 1)';
  return runs(path, ['-c', script]);
}

function hasKernel(path) {
  const script =
    'from importlib.util import find_spec as f; import sys; sys.exit(not (f("nbclient") and f("ipykernel")))';
  return path !== null && isExecutable(path) && runs(path, ['-c', script]);
}

function runs(path, args) {
  return spawnSync(path, args, { stdio: 'ignore', timeout: 30_000 }).status === 0;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
