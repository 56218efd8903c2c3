import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold = (text) => paint(1, text);
export const green = (text) => paint(32, text);
export const red = (text) => paint(31, text);
export const yellow = (text) => paint(33, text);

/** Path of a file of an installed package: run with node itself, so that no shell and no `.cmd` file is needed. */
export const bin = (path) => `${ROOT}node_modules/${path}`;

const JEST = ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', bin('jest/bin/jest.js')];

/** What `npm run check` and `npm test` have in common; each is quiet unless it fails. */
export const CHECKS = [
  {
    name: 'format',
    args: [
      bin('prettier/bin/prettier.cjs'),
      '--check',
      '--log-level',
      'warn',
      '--cache',
      '--cache-strategy',
      'content',
      '--cache-location',
      bin('.cache/prettier-check.json'),
      '.',
    ],
    remedy: 'npm run format',
  },
  {
    name: 'lint',
    args: [
      bin('eslint/bin/eslint.js'),
      '.',
      '--max-warnings',
      '0',
      '--cache',
      '--cache-strategy',
      'content',
      '--cache-location',
      bin('.cache/eslint/'),
    ],
    remedy: 'npm run lint',
  },
  { name: 'types', args: [bin('typescript/bin/tsc')], remedy: 'npm run types' },
];

/** A jest run that shows its output as it comes. */
export const jest = (args) => ({ name: 'tests', args: [...JEST, ...args], loud: true });

/**
 * Runs one part under this node and waits for its end. Quiet parts print only when they fail.
 * @returns {Promise<{ name: string, code: number, ms: number, remedy?: string }>}
 */
export function run({ name, args, env = {}, loud = false, remedy }) {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, ...(colour && !loud ? { FORCE_COLOR: '1' } : {}), ...env },
      stdio: loud ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    const output = [];
    child.stdout?.on('data', (chunk) => output.push(chunk));
    child.stderr?.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => output.push(Buffer.from(`${error.message}\n`)));
    child.on('close', (status) => {
      const code = status ?? 1;
      if (code !== 0 && !loud) {
        process.stdout.write(
          `\n${bold(red(`${name} failed`))}${remedy === undefined ? '' : ` (again alone: ${remedy})`}\n`,
        );
        process.stdout.write(Buffer.concat(output));
      }
      resolve({ name, code, ms: performance.now() - started, remedy });
    });
  });
}

export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** Prints one line per part and the total; the exit code is that of the first part that failed, else 0. */
export function summarize(results, startedAt) {
  const width = Math.max(...results.map(({ name }) => name.length));
  process.stdout.write('\n');
  for (const { name, code, ms } of results) {
    const verdict = code === 0 ? green('ok    ') : red('FAILED');
    process.stdout.write(`  ${name.padEnd(width)}  ${verdict}  ${seconds(ms).padStart(8)}\n`);
  }
  const failed = results.filter(({ code }) => code !== 0);
  const total = seconds(performance.now() - startedAt);
  const verdict =
    failed.length === 0 ? green('everything passed') : red(`failed: ${failed.map(({ name }) => name).join(', ')}`);
  process.stdout.write(`\n${bold(verdict)} in ${total}\n`);
  return failed[0]?.code ?? 0;
}
